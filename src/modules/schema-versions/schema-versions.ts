import type { Prisma, SchemaVersion } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { mayReadSchema } from '../databases/databases.ts'
import { lockSchema } from '../databases/revision.ts'
import { versionCreated, versionDeleted, versionUpdated } from './events.ts'

/** Most migrations that a project remembers. */
export const versionLimit = 10_000
/** How long whoever applies a migration may be silent before somebody else may go on with it. */
export const leaseMs = 60_000

/** The migrations of the project that is asked, for those who work on it. */
export function visibleSchemaVersions(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.SchemaVersionWhereInput {
  return mayReadSchema(ctx) ? { projectId: ctx.projectId } : { projectId: { in: [] } }
}

/** Those behind one of them in the order in which they were applied, or before it; none if there is no such one. */
export async function schemaVersionsBeyond(
  ctx: Context,
  id: string,
  side: 'behind' | 'before',
): Promise<Prisma.SchemaVersionWhereInput> {
  const one = await ctx.db.schemaVersion.findFirst({ where: { AND: [{ id }, visibleSchemaVersions(ctx)] } })
  if (!one) return { id: { in: [] } }
  const beyond = <T>(place: T) => (side === 'behind' ? { gt: place } : { lt: place })
  const { appliedAt, name } = one
  return { OR: [{ appliedAt: beyond(appliedAt) }, { appliedAt, name: beyond(name) }] }
}

type Holder = { name: string; lease: string }

export type NewVersion = Holder & {
  checksum: string
  steps: number
  rollback: string
  after?: string | null | undefined
}

/**
 * Begins a migration, or goes on with one that was left half applied. One is applied at a time, and only behind the one
 * that the caller took for the last: of two who apply at once, one is refused.
 */
export async function beginSchemaVersion(ctx: Context, input: NewVersion): Promise<SchemaVersion> {
  const { name, checksum, steps, rollback, lease, after = null } = input
  return transaction(ctx, async (tx) => {
    const { last, found } = await lockVersions(tx, name)
    const data = { lease, leaseUntil: leaseEnd(tx) }
    if (found) {
      if (found.status === 'APPLIED') throw new Conflict(`“${name}” is applied already.`)
      if (found.status === 'ROLLING_BACK') throw new Conflict(`“${name}” is being rolled back: finish that first.`)
      requireLease(tx, found, lease)
      if (found.checksum !== checksum)
        throw new Conflict(`“${name}” was changed after it was begun: roll it back first.`)
      return tx.db.schemaVersion.update({ where: keyOf(tx, name), data })
    }
    if (last && last.status !== 'APPLIED') {
      throw new Conflict(
        `“${last.name}” is half done, ${last.done} of ${last.steps} steps: apply it or roll it back first.`,
      )
    }
    if ((last?.name ?? null) !== after) {
      throw new Conflict(`The last migration is ${last ? `“${last.name}”` : 'none'} by now: look at them again.`)
    }
    const { projectId } = tx
    if ((await tx.db.schemaVersion.count({ where: { projectId } })) >= versionLimit) {
      throw new LimitExceeded(`A project has at most ${versionLimit} migrations.`)
    }
    const created = { projectId, name, checksum, steps, rollback, appliedAt: tx.clock(), ...data }
    const version = await tx.db.schemaVersion.create({ data: created })
    await emit(tx, versionCreated, { name })
    return version
  })
}

/** Begins to undo the last migration, or goes on with that. It may be one that was left half applied. */
export async function beginSchemaRollback(ctx: Context, input: Holder & { steps: number }): Promise<SchemaVersion> {
  const { name, steps, lease } = input
  return transaction(ctx, async (tx) => {
    const { last, found } = await lockVersions(tx, name)
    if (!found) throw new NotFound('There is no such migration.', ['input', 'name'])
    if (last && last.name !== name) throw new Conflict(`“${last.name}” came after it: roll that back first.`)
    requireLease(tx, found, lease)
    const where = keyOf(tx, name)
    const leased = { lease, leaseUntil: leaseEnd(tx) }
    if (found.status === 'ROLLING_BACK') return tx.db.schemaVersion.update({ where, data: leased })
    const data = { ...leased, steps, done: 0, status: 'ROLLING_BACK' as const }
    const version = await tx.db.schemaVersion.update({ where, data })
    await emit(tx, versionUpdated, { name })
    return version
  })
}

/**
 * Says how many steps are done, and keeps the lease. With the last step the migration is applied, or, while it is being
 * rolled back, forgotten. `leave` gives the lease up before that.
 */
export async function advanceSchemaVersion(
  ctx: Context,
  input: Holder & { done: number; leave?: boolean | null | undefined },
): Promise<SchemaVersion> {
  const { name, lease, done, leave } = input
  return transaction(ctx, async (tx) => {
    const { found } = await lockVersions(tx, name)
    if (!found) throw new NotFound('There is no such migration.', ['input', 'name'])
    if (found.lease !== lease) throw new Conflict(`Somebody else works on “${name}” by now.`)
    if (done < found.done || done > found.steps) {
      throw new Invalid(`It has ${found.steps} steps, of which ${found.done} are done.`, ['input', 'done'])
    }
    const where = keyOf(tx, name)
    if (done < found.steps) {
      const rest = leave ? { lease: null, leaseUntil: null } : { leaseUntil: leaseEnd(tx) }
      return tx.db.schemaVersion.update({ where, data: { done, ...rest } })
    }
    if (found.status === 'ROLLING_BACK') {
      await tx.db.schemaVersion.delete({ where })
      await emit(tx, versionDeleted, { name })
      return { ...found, done }
    }
    const data = { done, status: 'APPLIED' as const, lease: null, leaseUntil: null }
    const version = await tx.db.schemaVersion.update({ where, data })
    await emit(tx, versionUpdated, { name })
    return version
  })
}

function keyOf({ projectId }: DbContext, name: string) {
  return { projectId_name: { projectId, name } }
}

function leaseEnd({ clock }: DbContext): Date {
  return new Date(clock().getTime() + leaseMs)
}

/** The named migration and the last one that was begun, which is the only one that can be half done. */
async function lockVersions(tx: DbContext, name: string) {
  await lockSchema(tx)
  const where = visibleSchemaVersions(tx)
  const last = await tx.db.schemaVersion.findFirst({ where, orderBy: [{ appliedAt: 'desc' }, { name: 'desc' }] })
  const found = await tx.db.schemaVersion.findFirst({ where: { AND: [where, { name }] } })
  return { last, found }
}

function requireLease(tx: DbContext, { name, lease: holder, leaseUntil }: SchemaVersion, lease: string): void {
  if (holder === null || holder === lease || !leaseUntil || leaseUntil <= tx.clock()) return
  throw new Conflict(`Somebody else works on “${name}” at this moment.`)
}
