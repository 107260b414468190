import { setTimeout as sleep } from 'node:timers/promises'
import { asSystem, type Services } from '../../src/context.ts'
import { dropProjectSchema, qualified } from '../../src/modules/collections/tables.ts'
import { type Deletable, type Hanging, hanging } from '../../src/modules/deletes/hanging.ts'
import { Busy, step } from '../databases/step.ts'
import type { Again } from '../implement.ts'

export type Target = { noun: Deletable; id: string }

type Options = {
  signal: AbortSignal
  /** Rows at a time, where nothing else is said. */
  batch?: number
  /** What is deleted stays for so long, for the API nodes that have not heard yet. */
  graceMs?: number
}

const batchSize = 1_000
const sayEveryMs = 5_000

/**
 * Takes away what hangs on a thing that is marked as deleted, in small transactions, and then its row. After each it rests
 * as long as that took, so that others have PostgreSQL at least half of the time. Nothing is kept of how far it has come:
 * what is left is what is still to be done, for this run or for one after it.
 */
export async function cascade(services: Services, target: Target, options: Options): Promise<Again | undefined> {
  const { signal, graceMs = 1_000 } = options
  const say = progressOf(services, target)
  await sleep(graceMs, undefined, { signal })
  try {
    // What an event of before the deletion still led to may have come in behind us.
    while ((await removeAll(services, target, options, say)) > 0);
    await removeSelf(services, target)
    say('all of it', 0, true)
    return undefined
  } catch (error) {
    if (!isPassing(error)) throw error
    services.log.debug({ err: error, ...target }, 'a cascade waits for others')
    return { again: new Date(services.clock().getTime() + 500) }
  }
}

type Say = (what: string, removed: number, isLast?: boolean) => void

/** One look at everything that hangs on it. Answers how much there was. */
async function removeAll(services: Services, target: Target, { signal, batch }: Options, say: Say): Promise<number> {
  let all = 0
  const parts: readonly Hanging[] = hanging[target.noun]
  for (const part of parts) {
    for (let removed = 1; removed > 0; ) {
      signal.throwIfAborted()
      const begun = performance.now()
      removed = await removeSome(services, target, part, batch)
      all += removed
      say('table' in part ? part.table : 'tables', removed)
      if (removed > 0) await sleep(performance.now() - begun, undefined, { signal })
    }
  }
  return all
}

function removeSome(services: Services, { id }: Target, part: Hanging, batch = batchSize): Promise<number> {
  return 'table' in part ? removeRows(services, part, id, batch) : dropNextTable(services, id)
}

async function removeRows(
  { sql }: Services,
  { table, by, batch: most = batchSize }: Extract<Hanging, { table: string }>,
  id: string,
  batch: number,
): Promise<number> {
  const { rowCount } = await sql.query(
    `delete from ${table} where ctid = any (array(select ctid from ${table} where "${by}" = $1 limit $2))`,
    [id, Math.min(most, batch)],
  )
  return rowCount ?? 0
}

/** One table of a project's own, whatever it holds: that takes no longer for many documents than for few. */
async function dropNextTable(services: Services, projectId: string): Promise<number> {
  return step(asSystem(services, 'deletes', projectId), async (tx) => {
    const [table] = await tx.query<{ name: string }>(
      'select tablename as name from pg_tables where schemaname = $1 limit 1',
      [projectId],
    )
    if (table) await tx.query(`drop table if exists ${qualified(projectId, table.name)} cascade`)
    return table ? 1 : 0
  })
}

/** The last of it. A project's namespace goes with its row, so that there is never one without a project. */
async function removeSelf(services: Services, { noun, id }: Target): Promise<void> {
  const removeRow = `delete from ${noun} where id = $1 and "deletedAt" is not null returning 1 as gone`
  if (noun !== 'projects') return void (await services.sql.query(removeRow, [id]))
  await step(asSystem(services, 'deletes', id), async (tx) => {
    const [row] = await tx.query(removeRow, [id])
    if (row) await dropProjectSchema(tx.query, id)
  })
}

/** Another worker is at it, a lock is held, or PostgreSQL chose us to give way. */
function isPassing(error: unknown): boolean {
  if (error instanceof Busy) return true
  return error instanceof Error && 'code' in error && ['55P03', '57014', '40P01'].includes(String(error.code))
}

/** Says now and then how far it has come, and in the end what there was. */
function progressOf({ log }: Services, target: Target): Say {
  const begun = performance.now()
  let removed = 0
  let saidAt = begun
  return (what, count, isLast = false) => {
    removed += count
    const now = performance.now()
    if (!isLast && now - saidAt < sayEveryMs) return
    saidAt = now
    const took = { ...target, removed, seconds: Math.round((now - begun) / 100) / 10 }
    log.info(isLast ? took : { ...took, at: what }, isLast ? 'what was deleted is gone' : 'what was deleted is going')
  }
}
