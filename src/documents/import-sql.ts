import type { TxContext } from '../context.ts'
import { imageColumns } from './image.ts'
import type { Arrived } from './import-rows.ts'
import type { GivenColumn } from './insert-sql.ts'
import { imageSql, jsonObject, literal } from './json.ts'
import { deleteLinks, insertLinks } from './links.ts'
import { type CollectionModel, quote } from './model.ts'
import { collectParams } from './param.ts'

/** What is done with a row whose id there is already. */
export type Duplicates = 'fail' | 'skip' | 'update'
export type Counts = { created: number; updated: number; skipped: number }

/** Writes rows and what the log tells of them, with one statement, or two where some are there already. */
export async function writeRows(
  tx: TxContext,
  collection: CollectionModel,
  rows: readonly Arrived[],
  duplicates: Duplicates,
): Promise<Counts> {
  const there = duplicates === 'update' ? await lockRows(tx, collection, rows) : new Set<string>()
  let updated = 0
  let created = 0
  for (const run of runsOf(rows, there)) {
    const isUpdate = there.has(run[0]?.id ?? '')
    const count = isUpdate ? await updateRows(tx, collection, run) : await insertRows(tx, collection, run, duplicates)
    if (isUpdate) updated += count
    else created += count
    for (const { id } of run) if (duplicates === 'update') there.add(id)
  }
  await writeLinks(tx, rows, duplicates)
  tx.emitted.count += created + updated
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
): Promise<number> {
  const settings = rows[0]?.columns ?? []
  const columns = settings.map(({ name }) => quote(name)).join(', ')
  const skipping = duplicates === 'skip' ? 'on conflict ("_id") do nothing' : ''
  const text = `with given as (${givenSql(settings)}),
    written as (insert into ${collection.table} (${columns}) select ${columns} from given ${skipping} returning *),
    logged as (${loggedSql(collection, 'created', "'null'", "'[]'", 'from written w')})
    select count(*)::int as count from logged`
  return countOf(tx, text, rows)
}

async function updateRows(tx: TxContext, collection: CollectionModel, rows: readonly Arrived[]): Promise<number> {
  const [first] = rows
  const settings = first?.columns ?? []
  const sets = (first?.given ?? []).map((name) => `${quote(name)} = given.${quote(name)}`)
  const text = `with given as (${givenSql(settings)}),
    earlier as (select t."_id", ${imageSql(collection, 't')} as image from ${collection.table} t join given on given."_id" = t."_id"),
    written as (update ${collection.table} t set ${[...sets, '"_version" = t."_version" + 1'].join(', ')} from given where t."_id" = given."_id" returning t.*),
    logged as (${loggedSql(collection, 'updated', 'e.image::text', changedSql(collection), updatedRows(collection))})
    select count(*)::int as count from logged`
  return countOf(tx, text, rows)
}

/** Who emits, and the rows, are its parameters: the text is the same for every batch. */
async function countOf(tx: TxContext, text: string, rows: readonly Arrived[]): Promise<number> {
  const json = `[${rows.map((row) => row.json).join(',')}]`
  const values = [json, tx.projectId, tx.actor?.kind ?? 'guest', tx.actor?.id ?? null]
  const [counted] = await tx.query<{ count: number }>(text, values)
  return counted?.count ?? 0
}

function givenSql(settings: readonly GivenColumn[]): string {
  const columns = settings.map(({ name, type }) => `${quote(name)} ${type}`).join(', ')
  return `select * from json_to_recordset($1::json) as given (${columns})`
}

/** A UUID of version 7: 48 bits of milliseconds, the rest random. */
const eventId = `(lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(gen_random_uuid()::text, 16))::uuid`

/** What `emit` does, for all rows of a statement at once. */
function loggedSql(
  collection: CollectionModel,
  action: 'created' | 'updated',
  before: string,
  changed: string,
  source: string,
): string {
  const { databaseId, id, key } = collection
  const aggregate = `${literal(`databases.${databaseId}.collections.${key}.documents.`)} || w."_id"`
  const payload = jsonObject([
    ['databaseId', literal(JSON.stringify(databaseId))],
    ['collectionId', literal(JSON.stringify(id))],
    ['collectionKey', literal(JSON.stringify(key))],
    ['id', 'to_json(w."_id")::text'],
    ['before', before],
    ['after', `${imageSql(collection, 'w')}::text`],
    ['changed', changed],
  ])
  return `insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind", "actorId")
    select ${eventId}, $2, ${aggregate} || '.${action}', 'documents.${action}', ${aggregate}, ${payload}::jsonb, $3, $4 ${source} returning 1`
}

/** What a row is now is made once, however many fields are compared. */
function updatedRows(collection: CollectionModel): string {
  const image = `select ${imageSql(collection, 'w')} as image offset 0`
  return `from written w join earlier e on e."_id" = w."_id" cross join lateral (${image}) l`
}

/** The JSON of the list of fields that differ between `e` and `l`. */
function changedSql(collection: CollectionModel): string {
  const { columns, neighbours } = collection
  const keys = new Map([...columns.values()].map(({ name, key }) => [name, key]))
  for (const { join, key } of neighbours.values()) if (join.kind === 'to') keys.set(join.column, key)
  const pairs = imageColumns(collection)
    .filter(({ name }) => name !== '_updatedAt' && name !== '_version')
    .map(
      ({ name, kind }) => `(${literal(kind === 'roles' ? 'permissions' : (keys.get(name) ?? name))}, ${literal(name)})`,
    )
  return `(select coalesce(json_agg(distinct f.field), '[]')::text from (values ${pairs.join(', ')}) f (field, name)
    where e.image -> f.name is distinct from l.image -> f.name)`
}

/** The pairs of relations to many. Those of a row that is changed are as it says, no others. */
async function writeLinks(tx: TxContext, rows: readonly Arrived[], duplicates: Duplicates): Promise<void> {
  const all = rows.flatMap(({ id, links }) => links.map((link) => ({ id, ...link })))
  for (const [{ join }, links] of Map.groupBy(all, ({ neighbour }) => neighbour)) {
    if (join.kind !== 'link') continue
    const way = { join, isThere: () => 'true' }
    const mine = links.map(({ id }) => id)
    if (duplicates === 'update') await deleteLinks(tx, statement(), way, { mine, pairs: [], others: true })
    // The foreign key sees to it that they are there.
    const pairs = links.flatMap(({ id, ids }) => ids.map((theirs) => ({ mine: id, theirs, isSure: true })))
    await insertLinks(tx, statement(), way, pairs)
  }
}

function statement() {
  const { param, values } = collectParams()
  return { param, bound: () => values }
}
