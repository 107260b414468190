import type { TxContext } from '../context.ts'
import { translate, unrelated } from './faults.ts'
import { type Arrived, RowRefused } from './import-rows.ts'
import type { CollectionModel } from './model.ts'

/** What rows of one transaction point at that is not there yet, but may come with a later one. */
export type Later = {
  note: (rows: readonly Arrived[]) => Promise<void>
  /** Throws RowRefused for the first row that points at what has not come. */
  settle: () => Promise<void>
}

const table = 'pg_temp.tendril_later'

/** Defers what keeps the documents of a collection from pointing at others of it that are not there; null where none do. */
export async function openLater(tx: TxContext, collection: CollectionModel): Promise<Later | null> {
  const relations = [...collection.neighbours.values()].filter(
    ({ own, collectionId }) => own && collectionId === collection.id,
  )
  if (relations.length === 0) return null
  const links = relations.flatMap(({ join }) => (join.kind === 'link' ? [join.table] : []))
  const [keys] = await tx.query<{ names: string | null }>(
    `select string_agg(format('%I.%I', n.nspname, c.conname), ', ') as names
     from pg_constraint c join pg_namespace n on n.oid = c.connamespace
     where c.contype = 'f' and c.condeferrable and c.confrelid = $1::text::regclass and c.conrelid = any($2::text[]::regclass[])`,
    [collection.table, [collection.table, ...links]],
  )
  if (keys?.names) await tx.query(`set constraints ${keys.names} deferred`)
  // There may be as many as there are rows.
  await tx.query(`create temporary table tendril_later ("row" int8, key text, id text collate "C") on commit drop`)
  const isMissing = (id: string) => `not exists (select from ${collection.table} t where t."_id" = ${id})`
  const note = async (rows: readonly Arrived[]) => {
    const pointed = rows.flatMap(({ row, input, links }) => {
      const linked = new Map(links.map(({ neighbour, ids }) => [neighbour.key, ids]))
      return relations.flatMap(({ key }) =>
        (linked.get(key) ?? [input[key]]).flatMap((id) => (typeof id === 'string' ? [{ row, key, id }] : [])),
      )
    })
    if (pointed.length === 0) return
    await tx.query(
      `insert into ${table} select g.* from json_to_recordset($1) as g ("row" int8, key text, id text) where ${isMissing('g.id')}`,
      [JSON.stringify(pointed)],
    )
  }
  const settle = async () => {
    const [first] = await tx.query<{ row: string; key: string }>(
      `select l."row", l.key from ${table} l where ${isMissing('l.id')} order by l."row", l.key limit 1`,
      [],
    )
    if (first) throw new RowRefused(Number(first.row), unrelated(first.key))
    // What was there may have been deleted meanwhile.
    await tx.query('set constraints all immediate').catch((error) => {
      throw translate(error, collection)
    })
  }
  return { note, settle }
}
