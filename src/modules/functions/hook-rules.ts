import { isDeepStrictEqual } from 'node:util'
import type { Function as FunctionRow } from '../../../prisma/client/client.ts'
import type { Context, TxContext } from '../../context.ts'
import { Forbidden, Invalid } from '../../errors.ts'
import { raiseRevision } from '../databases/revision.ts'
import { scopesOf } from '../permissions/roles.ts'
import { type HookRule, hookLimits, whyNotHook } from './hooks.ts'

export type { HookRule }

export type HookInput = {
  on: string
  deadlineMs?: number | null | undefined
  onMissed?: HookRule['onMissed'] | null | undefined
}

/** The rules as a function's row holds them. Throws Invalid. */
export function readHooks(hooks: readonly HookInput[]): HookRule[] {
  const { rules, leastMs, initialMs, mostMs } = hookLimits
  if (hooks.length > rules) throw new Invalid(`A function has at most ${rules} hooks.`, ['input', 'hooks'])
  return hooks.map(({ on, deadlineMs, onMissed }, i) => {
    const wrong = whyNotHook(on)
    if (wrong) throw new Invalid(wrong, ['input', 'hooks', `${i}`, 'on'])
    const deadline = deadlineMs ?? initialMs
    if (deadline < leastMs || deadline > mostMs)
      throw new Invalid(`A deadline is ${leastMs} to ${mostMs} ms.`, ['input', 'hooks', `${i}`, 'deadlineMs'])
    return { on, deadlineMs: deadline, onMissed: onMissed ?? 'REJECT' }
  })
}

const scopes = { documents: ['documents.read', 'documents.write'], users: ['users.read', 'users.write'] } as const

/** What a hook decides on passes through it, and may be made something else: whoever sets one must be allowed that. */
export function requireHookScopes(ctx: Pick<Context, 'actor'>, hooks: readonly HookRule[]): void {
  const own = scopesOf(ctx)
  if (!own) return
  const nouns = (Object.keys(scopes) as (keyof typeof scopes)[]).filter((noun) =>
    hooks.some(({ on }) => isOf(on, noun)),
  )
  const missing = nouns.flatMap((noun) => scopes[noun]).find((scope) => !own.has(scope))
  if (missing) throw new Forbidden(`A hook on this needs the scope ${missing}.`)
}

function isOf(on: string, noun: string): boolean {
  const named = on.split('.').at(-2) ?? '*'
  return named === '*' || named === noun
}

type Row = Pick<FunctionRow, 'projectId' | 'hooks' | 'enabled' | 'deletedAt' | 'deploymentId'>

/** Every node learns of other hooks as it does of another schema. Comes last in its transaction. */
export async function hooksChanged(tx: TxContext, before: Row, now: Row): Promise<void> {
  if (isDeepStrictEqual(inForce(before), inForce(now))) return
  await raiseRevision({ ...tx, projectId: now.projectId })
}

/** As `src/documents/load.ts` reads them. */
function inForce({ hooks, enabled, deletedAt, deploymentId }: Row): unknown {
  return enabled && deletedAt === null && deploymentId !== null ? hooks : []
}
