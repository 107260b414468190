import { hash } from 'node:crypto'
import { type ASTNode, type GraphQLResolveInfo, Kind, print, visit } from 'graphql'
import { type Context, openTransaction, queryIn } from '../context.ts'
import { Conflict, Invalid, Unauthenticated } from '../errors.ts'
import { decrypt, encrypt } from '../lib/secrets.ts'
import { translate } from './faults.ts'

type Asked = Pick<GraphQLResolveInfo, 'fieldName' | 'fieldNodes' | 'fragments' | 'variableValues'>

/** What was asked: the field, its arguments, and what of the answer is selected. */
export function requestHash({ fieldName, fieldNodes, fragments, variableValues }: Asked, args: object): string {
  const texts: string[] = []
  const variables: Record<string, unknown> = {}
  const open: ASTNode[] = fieldNodes.flatMap(({ selectionSet }) => selectionSet ?? [])
  const seen = new Set<ASTNode | undefined>(open)
  for (let node = open.shift(); node; node = open.shift()) {
    texts.push(print(node))
    visit(node, {
      [Kind.VARIABLE]: ({ name }) => {
        variables[name.value] = variableValues[name.value]
      },
      [Kind.FRAGMENT_SPREAD]: ({ name }) => {
        const fragment = fragments[name.value]
        if (fragment && !seen.has(fragment)) open.push(fragment)
        seen.add(fragment)
      },
    })
  }
  return hash('sha256', JSON.stringify([fieldName, args, texts, variables]), 'hex')
}

/**
 * A run of a function that is tried again makes its calls again: the same change at the same place of the same call is
 * made once. Another change there is another: what runs is not bound to do the same twice. `place` is the field's in the
 * answer.
 */
export function impliedKey({ run }: Context, place: string | number, asked: () => string): string | null {
  if (!run?.idempotencyKey) return null
  return `run ${hash('sha256', `${run.executionId} ${run.idempotencyKey} ${place} ${asked()}`, 'hex')}`
}

type Kept = { hash: string; answer: string }

const printable = /^\P{C}{1,128}$/u

/**
 * Runs a change for the first request that brings this key; the others are answered with what it was answered. A
 * concurrent one waits for the first, and takes its place if that fails: key, change and answer are one transaction. `run` is
 * null for what can only be answered again.
 */
export async function answerOnce(
  ctx: Context,
  key: string,
  asked: string,
  run: ((ctx: Context) => Promise<unknown>) | null,
): Promise<unknown> {
  const { actor, env, projectId } = ctx
  if (!printable.test(key)) throw new Invalid('A key has 1 to 128 printable characters.', ['idempotencyKey'])
  if (!actor) throw new Unauthenticated('A key needs a credential: guests cannot be told apart.')
  const place = [projectId, `${actor.kind}:${actor.id}`, key]
  const isRow = '"projectId" = $1 and actor = $2 and key = $3'
  const attempt = async (ctx: Parameters<Parameters<typeof openTransaction>[2]>[0]) => {
    const query = queryIn(ctx.open)
    const claimed = await query(
      `insert into idempotencies ("projectId", actor, key, hash, answer) values ($1, $2, $3, $4, '')
       on conflict ("projectId", actor, key) do nothing returning key`,
      [...place, asked],
    )
    if (claimed.length === 0) {
      const [kept] = await query<Kept>(`select hash, answer from idempotencies where ${isRow}`, place)
      return keptAnswer(env.SECRET_KEYS, kept, asked)
    }
    if (!run) throw expired()
    const answer = await run(ctx)
    const text = encrypt(env.SECRET_KEYS, JSON.stringify(answer))
    await query(`update idempotencies set answer = $4 where ${isRow}`, [...place, text])
    return answer
  }
  try {
    return await openTransaction(ctx, {}, attempt)
  } catch (error) {
    throw translate(error, null)
  }
}

/** Whether what this key was given with is done: a look that nothing rests on. */
export async function isAnswered({ sql, actor, projectId }: Context, key: string): Promise<boolean> {
  const { rows } = await sql.query('select from idempotencies where "projectId" = $1 and actor = $2 and key = $3', [
    projectId,
    `${actor?.kind}:${actor?.id}`,
    key,
  ])
  return rows.length > 0
}

/** The purge of old rows has come in between: as if it had been a moment earlier. */
function expired(): Conflict {
  return new Conflict('This key has just expired. Try again.', ['idempotencyKey'])
}

function keptAnswer(keys: readonly Buffer[], kept: Kept | undefined, asked: string): unknown {
  if (!kept) throw expired()
  if (kept.hash !== asked)
    throw new Conflict('This key was given with another request: with one key, ask the same.', ['idempotencyKey'])
  return JSON.parse(decrypt(keys, kept.answer))
}
