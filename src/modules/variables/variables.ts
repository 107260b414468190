import type { Prisma, Variable } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, takeTurn, transaction } from '../../context.ts'
import { Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { encrypt } from '../../lib/secrets.ts'
import { changeableFunction, requireAllowed } from '../functions/functions.ts'
import { operatorRows, requireOperator } from '../operators/operators.ts'
import { variableCreated, variableDeleted, variableUpdated } from './events.ts'

/** Most variables of a function, and of a project besides. */
export const variableLimit = 100
/** Most bytes of a value. */
export const variableBytes = 64 * 1024
/** Most bytes of all values of a function, and of a project besides: all of them go to an executor with each run. */
export const variablesBytes = 512 * 1024

/** The variables of the project that is asked, for those who run it. */
export function visibleVariables(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.VariableWhereInput {
  return { ...operatorRows(ctx), OR: [{ functionId: null }, { function: { deletedAt: null } }] }
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
/** Names of ours, and one that would be no variable of anybody's. */
const reserved = /^(TENDRIL_|__proto__$)/i

export type NewVariable = { functionId?: string | null | undefined; key: string; value: string }

/** Sets a variable, of one function or of all. What is set is never answered. */
export async function setVariable(ctx: Context, { functionId = null, key, value }: NewVariable): Promise<Variable> {
  requireOperator(ctx)
  if (!identifier.test(key) || reserved.test(key))
    throw new Invalid(
      'A variable is named by letters, digits and underscores, up to 128, and does not begin with TENDRIL_.',
      ['input', 'key'],
    )
  if (Buffer.byteLength(value) > variableBytes || value.includes('\0'))
    throw new Invalid('A value has up to 65,536 bytes, none of them zero.', ['input', 'value'])
  return transaction(ctx, async (tx) => {
    await requireChangeable(ctx, tx, functionId)
    const { projectId } = ctx
    const known = await tx.db.variable.findFirst({ where: { projectId, functionId, key } })
    const kept = encrypt(ctx.env.SECRET_KEYS, value)
    await requireBytes(tx, { functionId, key, value: kept })
    const variable = known
      ? await tx.db.variable.update({ where: { id: known.id }, data: { value: kept } })
      : await insertVariable(tx, { functionId, key, value: kept })
    await emit(tx, known ? variableUpdated : variableCreated, payloadOf(variable))
    return variable
  })
}

/**
 * Measured by what is kept of them: four characters for three bytes, and what encryption adds. Those that have more since before
 * there was a limit may become fewer and shorter one at a time.
 */
async function requireBytes({ query, projectId }: DbContext, { functionId, key, value }: Kept): Promise<void> {
  const [row] = await query<{ others: number; own: number }>(
    `select coalesce(sum(length(value)) filter (where key <> $3), 0)::int as others,
       coalesce(sum(length(value)) filter (where key = $3), 0)::int as own
     from variables where "projectId" = $1 and "functionId" is not distinct from $2`,
    [projectId, functionId, key],
  )
  const { others = 0, own = 0 } = row ?? {}
  if (others + value.length <= (variablesBytes * 4) / 3 + variableLimit * 64 || value.length < own) return
  const most = variablesBytes.toLocaleString('en-US')
  throw new LimitExceeded(
    `The values of a function's variables have at most ${most} bytes together, and so have a project's. Delete some, or set shorter values.`,
  )
}

type Kept = Pick<Variable, 'functionId' | 'key' | 'value'>

async function insertVariable(tx: DbContext, given: Kept) {
  const { projectId } = tx
  const count = await tx.db.variable.count({ where: { projectId, functionId: given.functionId } })
  if (count >= variableLimit)
    throw new LimitExceeded(`A function has at most ${variableLimit} variables, and so has a project.`)
  return tx.db.variable.create({ data: { ...given, id: newId('var'), projectId } })
}

export async function deleteVariable(ctx: Context, id: string): Promise<string> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    const variable = await tx.db.variable.findFirst({ where: { AND: [{ id }, visibleVariables(ctx)] } })
    if (!variable) throw new NotFound('There is no such variable.')
    await requireChangeable(ctx, tx, variable.functionId)
    const { count } = await tx.db.variable.deleteMany({ where: { id } })
    if (count === 0) throw new NotFound('There is no such variable.')
    await emit(tx, variableDeleted, payloadOf(variable))
    return id
  })
}

/** Variables decide what code does: those of a function are for who is allowed what it is, those of all for who is allowed what all are. */
async function requireChangeable(ctx: Context, tx: DbContext, functionId: string | null): Promise<void> {
  if (functionId !== null) return void (await changeableFunction(ctx, tx, functionId))
  // Two who set the same name at a time come one after the other.
  await takeTurn(tx, `variables ${ctx.projectId}`)
  const functions = await tx.db.function.findMany({
    where: { projectId: ctx.projectId, deletedAt: null },
    select: { scopes: true, events: true, hooks: true },
  })
  for (const one of functions) requireAllowed(ctx, one)
}

/** The ids in it are what those who remember environments look at. */
function payloadOf({ id, key, functionId, projectId }: Variable) {
  return { variableId: id, key, functionId, projectId: functionId === null ? projectId : null }
}
