import type { TxContext } from '../context.ts'
import type { Later } from './import-later.ts'
import type { Arrived } from './import-rows.ts'
import { imageText } from './json.ts'
import { deleteLinks, insertLinks } from './links.ts'
import { type CollectionModel, quote } from './model.ts'
import { type Logged, outboxSql } from './outbox-sql.ts'
import { collectParams } from './param.ts'
import { changedSql } from './update-sql.ts'
import { answerOf } from './writing.ts'

/** What is done with a row whose id there is already. */
export type Duplicates = 'fail' | 'skip' | 'update'
/** `later` is null where each batch has to be right by itself. */
export type How = { duplicates: Duplicates; later: Later | null }
export type Counts = { created: number; updated: number; skipped: number }

/** Writes rows and what the log tells of them, with one statement, or two where some are there already. */
export async function writeRows(
  tx: TxContext,
  collection: CollectionModel,
  rows: readonly Arrived[],
  { duplicates, later }: How,
): Promise<Counts> {
  const there = duplicates === 'update' ? await lockRows(tx, collection, rows) : new Set<string>()
  const written: Arrived[] = []
  let updated = 0
  let created = 0
  for (const run of runsOf(rows, there)) {
    const isUpdate = there.has(run[0]?.id ?? '')
    const done = isUpdate ? await updateRows(tx, collection, run) : await insertRows(tx, collection, run, duplicates)
    if (isUpdate) updated += done.length
    else created += done.length
    written.push(...done)
    for (const { id } of run) if (duplicates === 'update') there.add(id)
  }
  await writeLinks(tx, written, duplicates)
  await later?.note(written)
  return { created, updated, skipped: rows.length - created - updated }
}

async function lockRows(tx: TxContext, { table }: CollectionModel, rows: readonly Arrived[]): Promise<Set<string>> {
  const ids = rows.map(({ id }) => id)
  const found = await tx.query<{ id: string }>(
    `select "_id" as id from ${table} where "_id" = any($1::text[]) order by "_id" for update`,
    [ids],
  )
  return new Set(found.map(({ id }) => id))
}

/** Rows that one statement can write: all new, or all there and of the same columns, and none of them twice. */
function runsOf(rows: readonly Arrived[], there: ReadonlySet<string>): Arrived[][] {
  const runs: Arrived[][] = []
  let kind = ''
  let ids = new Set<string>()
  for (const row of rows) {
    const own = there.has(row.id) || ids.has(row.id) ? row.given.join() : 'new'
    const last = runs.at(-1)
    if (last && own === kind && !ids.has(row.id)) last.push(row)
    else {
      runs.push([row])
      kind = own
      ids = new Set()
    }
    ids.add(row.id)
  }
  return runs
}

async function insertRows(
  tx: TxContext,
  collection: CollectionModel,
  rows: readonly Arrived[],
  duplicates: Duplicates,
): Promise<readonly Arrived[]> {
  const settings = rows[0]?.columns ?? []
  const columns = settings.map(({ name }) => quote(name)).join(', ')
  const skipping = duplicates === 'skip' ? 'on conflict ("_id") do nothing' : ''
  const told = { action: 'created', before: "'null'", changed: "'[]'" } as const
  const ids = await writeRun(tx, collection, rows, {
    written: `insert into ${collection.table} (${columns}) select ${columns} from given ${skipping} returning *`,
    told,
    source: 'from written w',
  })
  return ids.length === rows.length ? rows : among(rows, ids)
}

function among(rows: readonly Arrived[], ids: readonly string[]): readonly Arrived[] {
  const known = new Set(ids)
  return rows.filter(({ id }) => known.has(id))
}

/** Each row is compared column by column, and its JSON made once: that of what it was, and that of what it is. */
async function updateRows(
  tx: TxContext,
  collection: CollectionModel,
  rows: readonly Arrived[],
): Promise<readonly Arrived[]> {
  const names = rows[0]?.given ?? []
  const { table } = collection
  const sets = names.map((name) => `${quote(name)} = given.${quote(name)}`)
  const changed = changedSql(
    collection,
    names.filter((name) => name !== '_updatedAt'),
  )
  const ids = await writeRun(tx, collection, rows, {
    earlier: `select t.* from ${table} t where t."_id" = any(array(select "_id" from given))`,
    written: `update ${table} t set ${[...sets, '"_version" = t."_version" + 1'].join(', ')} from given where t."_id" = given."_id" returning t.*`,
    told: { action: 'updated', before: imageText(collection, 'b'), changed },
    source: 'from written w join earlier b on b."_id" = w."_id"',
  })
  return among(rows, ids)
}

type Run = {
  /** SQL of the rows as they were, where the log tells of that. */
  earlier?: string
  written: string
  told: Pick<Logged, 'action' | 'before' | 'changed'>
  source: string
}

/**
 * One statement for rows of one kind, which answers their ids; who emits, and the rows, are its parameters: the text is the
 * same for every batch.
 */
function writeRun(
  tx: TxContext,
  collection: CollectionModel,
  rows: readonly Arrived[],
  { earlier, written, told, source }: Run,
): Promise<string[]> {
  const { param, values } = collectParams()
  const columns = (rows[0]?.columns ?? []).map(({ name, type }) => `${quote(name)} ${type}`).join(', ')
  const given = param(`[${rows.map((row) => row.json).join(',')}]`, 'json')
  const logged = { ...told, id: 'w."_id"', after: imageText(collection, 'w') }
  const text = `with given as materialized (select * from json_to_recordset(${given}) as given (${columns})),
    ${earlier ? `earlier as materialized (${earlier}),` : ''}
    written as (${written}),
    logged as (${outboxSql({ param, model: tx }, collection, logged, source)})
    select coalesce(json_agg("_id"), '[]')::text as answer from written`
  return answerOf<string[]>(tx, { text, values })
}

/** The pairs of relations to many. Those of a row that is changed are as it says the last time, no others. */
async function writeLinks(tx: TxContext, rows: readonly Arrived[], duplicates: Duplicates): Promise<void> {
  const all = rows.flatMap(({ id, links }) => links.map((link) => ({ id, ...link })))
  for (const [{ join }, links] of Map.groupBy(all, ({ neighbour }) => neighbour)) {
    if (join.kind !== 'link') continue
    const last = new Map(links.map((link) => [link.id, link]))
    const way = { join, isThere: () => 'true' }
    const mine = [...last.keys()]
    if (duplicates === 'update') await deleteLinks(tx, statement(), way, { mine, pairs: [], others: true })
    // The foreign key sees to it that they are there.
    const pairs = [...last.values()].flatMap(({ id, ids }) => ids.map((theirs) => ({ mine: id, theirs, isSure: true })))
    await insertLinks(tx, statement(), way, pairs)
  }
}

function statement() {
  const { param, values } = collectParams()
  return { param, bound: () => values }
}
