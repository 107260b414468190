import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../src/context.ts'
import { Unavailable } from '../../src/errors.ts'
import { makeChange } from './change.ts'
import { type Change, pendingChanges } from './changes.ts'
import { explainDelay } from './delay.ts'
import { dropAttribute, dropIndex, dropTable, forgetReaders, retireAttributes } from './drop.ts'
import { Failure, fail } from './fail.ts'
import { indexReaders, makeAttribute, makeCollection, makeIndex } from './make.ts'
import { Busy } from './step.ts'

/** Each answers false when it has to wait for another change. */
const makers: Record<Change['task'], (ctx: Context, id: string) => Promise<boolean>> = {
  'make-collection': makeCollection,
  'make-attribute': makeAttribute,
  'make-change': makeChange,
  'make-index': makeIndex,
  'index-readers': indexReaders,
  'forget-readers': forgetReaders,
  'drop-index': dropIndex,
  'drop-attribute': dropAttribute,
  'drop-table': dropTable,
}

const isGoodbye = ({ task }: Change) => task === 'drop-attribute' || task === 'drop-table'

export type Options = {
  signal: AbortSignal
  /** What is dropped stays for so long after the types have lost it, for the API nodes that have not heard yet. */
  graceMs?: number
}

/**
 * Makes what the rows of a project's collections, attributes and indexes ask for, one change after the other, until
 * nothing is left. It reads only rows and PostgreSQL's own catalogue, so it goes on wherever an earlier run was cut off.
 * False when another worker is at it: ask again soon. Throws Unavailable while tables are locked by others.
 */
export async function applySchemaChanges(ctx: Context, { signal, graceMs = 1_000 }: Options): Promise<boolean> {
  const postponed = new Set<string>()
  const keyOf = ({ task, id }: Change) => `${task} ${id}`
  try {
    for (;;) {
      const changes = (await pendingChanges(ctx.sql, ctx.projectId)).filter((change) => !postponed.has(keyOf(change)))
      if (changes.length === 0) break
      const postpone = (change: Change) => void postponed.add(keyOf(change))
      await applyEach(
        ctx,
        changes.filter((change) => !isGoodbye(change)),
        signal,
        postpone,
      )
      const goodbyes = changes.filter(isGoodbye)
      if (goodbyes.length > 0) await sayGoodbye(ctx, goodbyes, { signal, graceMs }, postpone)
    }
  } catch (error) {
    if (error instanceof Busy) return false
    throw error
  }
  if (postponed.size > 0) throw new Unavailable(`${postponed.size} changes wait for other transactions to end.`)
  return true
}

type Postpone = (change: Change) => void

async function applyEach(
  ctx: Context,
  changes: readonly Change[],
  signal: AbortSignal,
  postpone: Postpone,
): Promise<void> {
  for (const change of changes) {
    signal.throwIfAborted()
    if (!(await apply(ctx, change))) postpone(change)
  }
}

async function sayGoodbye(
  ctx: Context,
  changes: readonly Change[],
  options: Required<Options>,
  postpone: Postpone,
): Promise<void> {
  const attributes = changes.filter(({ task }) => task === 'drop-attribute')
  if (attributes.length > 0) {
    const retired = await attempt(ctx, async () => {
      await retireAttributes(
        ctx,
        attributes.map(({ id }) => id),
      )
      return true
    })
    if (!retired) return changes.forEach(postpone)
  }
  await sleep(options.graceMs, undefined, { signal: options.signal })
  await applyEach(ctx, changes, options.signal, postpone)
}

/** False when the change is not settled and has to be tried later. */
async function apply(ctx: Context, { task, id }: Change): Promise<boolean> {
  try {
    return await attempt(ctx, () => makers[task](ctx, id))
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === null) {
      await explainDelay(ctx, { task, id }, codeOf(error))
      throw error
    }
    ctx.log.warn({ err: error, task, id }, 'a schema change failed')
    if (!task.startsWith('make-')) return false
    return attempt(ctx, async () => {
      await fail(ctx, task, id, reason)
      return true
    })
  }
}

/** Three tries while others hold what is needed. */
async function attempt(ctx: Context, fn: () => Promise<boolean>): Promise<boolean> {
  for (let pauseMs = 100; pauseMs <= 400; pauseMs *= 2) {
    try {
      return await fn()
    } catch (error) {
      if (!isPassing(error)) throw error
      ctx.log.debug({ err: error }, 'a schema change waits')
      await sleep(pauseMs)
    }
  }
  return false
}

/** Lock and statement timeouts, deadlocks, serialization. */
function isPassing(error: unknown): boolean {
  return ['55P03', '57014', '40P01', '40001'].includes(codeOf(error))
}

/** Why PostgreSQL will never make this change; null for what has nothing to do with the change. */
export function reasonOf(error: unknown): string | null {
  if (error instanceof Failure) return error.message
  const code = codeOf(error)
  const known = reasons[code]
  if (known) return known
  // Data, integrity and syntax errors lie in the change; connections, resources and crashes do not.
  return /^(22|23|42|54|0A|2B)/.test(code) ? `PostgreSQL refused it (${code}).` : null
}

const reasons: Readonly<Record<string, string>> = {
  '0A000': 'PostgreSQL cannot do this with such a column.',
  '22003': 'A document has a number that is out of range.',
  '22007': 'A document has a value that is no date.',
  '22P02': 'A document has a value that cannot become one of the new type.',
  '23502': 'The collection has documents, which would lack a value: make the attribute optional, or fill it before.',
  '23503': 'A document points at one that is not there.',
  '23505': 'Documents have equal values where they must be unique.',
  '23514': 'A document has a value that the attribute would not allow.',
  '42501': 'Tendril may not do this on its PostgreSQL server.',
  '42703': 'An attribute that it is made of is not there.',
  '42704': 'The PostgreSQL server lacks what this needs.',
  '42710': 'PostgreSQL has something of this name already.',
  '54011': 'The table has no room for another column.',
  '54000': 'A document has a value that is too long for an index.',
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
