import type { Execution } from '../../../prisma/client/client.ts'
import { type Actor, type Context, consoleProjectId, type Services } from '../../context.ts'
import type { Identity } from '../../identities.ts'
import { type FunctionPlan, findPlan } from '../functions/plans.ts'
import { rolesOf, scopesOf } from '../permissions/roles.ts'

/** Whether a caller's roles let them run a function by a call. */
export function mayExecute(ctx: Pick<Context, 'actor'>, { execute }: FunctionPlan): boolean {
  const roles = rolesOf(ctx)
  return roles === null || roles.some((role) => execute.includes(role))
}

type Asked = Pick<Execution, 'trigger' | 'projectId' | 'actorKind' | 'actorId'>

/**
 * Whether who has asked for a run could still ask for it: days may be between. Their session may have ended meanwhile; a run
 * for them as `CALLER` has no rights then. What runs by events and by the clock nobody has asked for.
 */
export async function mayStillExecute(services: Services, plan: FunctionPlan, execution: Asked): Promise<boolean> {
  if (execution.trigger !== 'API') return true
  const { actorKind, actorId, projectId } = execution
  if (actorKind === 'guest') return mayExecute({ actor: null }, plan)
  if (actorKind === 'system' || actorId === null) return true
  const read = readers[actorKind as keyof typeof readers]
  const name = `${projectId} caller ${actorKind} ${actorId}`
  // Remembered as callers are (docs/decisions/0009).
  const { found: actor } = await services.identities.find(name, services.clock(), () =>
    read(services, projectId, actorId),
  )
  return actor !== null && mayExecute({ actor }, plan) && scopesOf({ actor })?.has('executions.write') !== false
}

type Found = Promise<Identity<Actor | null>>

const nobody: Identity<null> = { found: null, ids: [], expiresAt: null }

/** Whose session it is does not matter to what they may do. */
const sessionId = ''

const readers = {
  user: async ({ sql }: Services, projectId: string, id: string): Found => {
    const { rows } = await sql.query<{ verified: boolean; labels: string[] }>({
      name: 'caller user',
      text: `select "emailVerified" as verified, labels from users where id = $1 and "projectId" = $2 and status = 'ACTIVE'`,
      values: [id, projectId],
    })
    const [row] = rows
    return row ? { found: { kind: 'user', id, sessionId, ...row }, ids: [projectId, id], expiresAt: null } : nobody
  },
  account: async ({ sql }: Services, projectId: string, id: string): Found => {
    const { rows } = await sql.query<{ role: 'OWNER' | 'DEVELOPER' | null }>({
      name: 'caller account',
      text: `select m.role from users u left join members m on m."userId" = u.id and m."projectId" = $2
             where u.id = $1 and u."projectId" = '${consoleProjectId}' and u.status = 'ACTIVE'`,
      values: [id, projectId],
    })
    const [row] = rows
    return row ? { found: { kind: 'account', id, sessionId, ...row }, ids: [projectId, id], expiresAt: null } : nobody
  },
  key: async ({ sql, clock }: Services, projectId: string, id: string): Found => {
    const { rows } = await sql.query<{ scopes: string[]; expiresAt: Date | null }>({
      name: 'caller key',
      text: `select scopes, "expiresAt" from keys
             where id = $1 and "projectId" = $2 and ("expiresAt" is null or "expiresAt" > $3)`,
      values: [id, projectId, clock()],
    })
    const [row] = rows
    if (!row) return nobody
    const found: Actor = { kind: 'key', id, scopes: new Set(row.scopes) }
    return { found, ids: [projectId, id], expiresAt: row.expiresAt }
  },
  function: async (services: Services, projectId: string, id: string): Found => {
    const plan = await findPlan(services, id)
    if (!plan?.enabled) return nobody
    return { found: { kind: 'function', id, scopes: new Set(plan.scopes) }, ids: [projectId, id], expiresAt: null }
  },
}
