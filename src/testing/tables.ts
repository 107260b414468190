import { setTimeout as sleep } from 'node:timers/promises'
import type { QueryResultRow } from 'pg'
import type { Attribute } from '../../prisma/client/client.ts'
import { applySchemaChanges } from '../../workers/databases/apply.ts'
import type { Context } from '../context.ts'
import { createAttribute } from '../modules/attributes/attributes.ts'
import type { NewAttribute } from '../modules/attributes/shape.ts'
import { createCollection, type NewCollection } from '../modules/collections/collections.ts'
import { createDatabase } from '../modules/databases/databases.ts'
import type { World } from './world.ts'

const signal = new AbortController().signal

export type Tables = Awaited<ReturnType<typeof createTables>>

/** A project with a database, what asks the worker for changes of it, and what looks at PostgreSQL itself. */
export async function createTables(world: World) {
  const ctx = (await world.createProject()).owner
  const { id: databaseId } = await createDatabase(ctx, { key: 'main' })
  const sql = async <Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await world.app.sql.query<Row>(text, [...values])).rows
  const tableOf = (collectionId: string) => `"${ctx.projectId}"."${collectionId}"`

  /** Makes whatever was asked for. */
  const applyAll = async (graceMs = 0) => {
    while (!(await applySchemaChanges(ctx, { signal, graceMs }))) await sleep(20)
  }
  const create = (input: Partial<NewCollection> & { key: string }) =>
    createCollection(ctx, { databaseId, permissions: [], ...input })
  const make = async (input: Partial<NewCollection> & { key: string }): Promise<string> => {
    const { id } = await create(input)
    await applyAll()
    return id
  }
  const addAttribute = async (collectionId: string, input: NewAttribute): Promise<Attribute> => {
    const { id } = await createAttribute(ctx, { collectionId, ...input })
    await applyAll()
    return ctx.db.attribute.findUniqueOrThrow({ where: { id } })
  }
  /** Documents `doc1`, `doc2` …; `values` may speak of their number `i`. */
  const insertDocuments = async (collectionId: string, count: number, columns = '', values = '') => {
    const numbers = `generate_series(1, ${count}) i`
    await sql(`insert into ${tableOf(collectionId)} ("_id"${columns}) select 'doc' || i ${values} from ${numbers}`)
  }
  return {
    ctx,
    databaseId,
    sql,
    tableOf,
    applyAll,
    create,
    make,
    addAttribute,
    insertDocuments,
    ...eyes(ctx, sql, tableOf),
  }
}

type Sql = <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>

function eyes({ projectId }: Context, sql: Sql, tableOf: (collectionId: string) => string) {
  /** How often the outbox holds each event of the project, by type, key and status. */
  const eventsOf = async (): Promise<Record<string, number>> => {
    const rows = await sql<{ event: string; count: number }>(
      `select concat_ws(' ', type, payload ->> 'key', payload ->> 'status') as event, count(*)::int from events.outbox
       where "projectId" = $1 group by 1`,
      [projectId],
    )
    return Object.fromEntries(rows.map(({ event, count }) => [event, count]))
  }
  /** Each column: name, type, collation, whether it may be null, default. */
  const columnsOf = async (collectionId: string): Promise<string[]> => {
    const rows = await sql<{ text: string }>(
      `select concat_ws(' ', column_name, data_type, collation_name, is_nullable, column_default) as text
       from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position`,
      [projectId, collectionId],
    )
    return rows.map(({ text }) => text)
  }
  /** Each valid index but that of the ids, in the order of their texts. */
  const indexesOf = async (collectionId: string): Promise<string[]> => {
    const rows = await sql<{ text: string }>(
      `select pg_get_indexdef(indexrelid) as text from pg_index
       where indrelid = to_regclass($1) and indisvalid and not indisprimary`,
      [tableOf(collectionId)],
    )
    return rows.map(({ text }) => text.replace(/^.* USING /, text.includes('UNIQUE') ? 'unique ' : '')).sort()
  }
  return { eventsOf, columnsOf, indexesOf }
}
