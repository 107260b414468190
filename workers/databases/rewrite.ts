import { escapeIdentifier } from 'pg'
import type { Collection } from '../../prisma/client/client.ts'
import type { TxContext } from '../../src/context.ts'
import { qualified } from '../../src/modules/collections/tables.ts'
import { rewriteTimeoutMs } from './step.ts'

/** PostgreSQL counts dropped columns towards the 1,600 that a table can have. From so many on, it is written anew. */
export const columnLimit = 1_500

/** Makes room for one more column, where the columns that were dropped have taken it. The step's transaction holds all of it. */
export async function makeRoom(tx: TxContext, collection: Pick<Collection, 'id' | 'projectId'>): Promise<void> {
  const table = qualified(collection.projectId, collection.id)
  const [row] = await tx.query<{ count: number }>(
    'select count(*)::int as count from pg_attribute where attrelid = to_regclass($1) and attnum > 0',
    [table],
  )
  if ((row?.count ?? 0) < columnLimit) return
  await tx.query(`set local statement_timeout = ${rewriteTimeoutMs}`)
  await rewrite(tx, collection.projectId, collection.id)
}

type Definition = { table: string; name: string; text: string }

/** Copies a table to one of the same name without its dropped columns. Constraints, indexes and what points at it stay. */
async function rewrite(tx: TxContext, projectId: string, id: string): Promise<void> {
  const table = qualified(projectId, id)
  const old = qualified(projectId, `${id}_old`)
  await tx.query(`lock table ${table} in access exclusive mode`)
  const parts = await partsOf(tx, table)
  for (const { table: other, name } of parts.foreign)
    await tx.query(`alter table ${other} drop constraint ${escapeIdentifier(name)}`)
  await tx.query(`alter table ${table} rename to ${escapeIdentifier(`${id}_old`)}`)
  await tx.query(`create table ${table} (like ${old} including all excluding indexes)`)
  const columns = parts.columns.map(escapeIdentifier).join(', ')
  await tx.query(`insert into ${table} (${columns}) select ${columns} from ${old}`)
  await tx.query(`drop table ${old}`)
  for (const { name, text } of parts.keys)
    await tx.query(`alter table ${table} add constraint ${escapeIdentifier(name)} ${text}`)
  for (const { text } of parts.indexes) await tx.query(text)
  for (const { table: other, name, text } of parts.foreign)
    await tx.query(`alter table ${other} add constraint ${escapeIdentifier(name)} ${text}`)
  await tx.query(`analyze ${table}`)
}

type Parts = { columns: string[]; keys: Definition[]; foreign: Definition[]; indexes: Definition[] }

/** All that a table has beside the columns and checks that `like` copies, as PostgreSQL itself writes it. */
async function partsOf(tx: TxContext, table: string): Promise<Parts> {
  const columns = await tx.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
       and attgenerated = '' order by attnum`,
    [table],
  )
  const constraints = await tx.query<Definition & { type: string }>(
    `select conrelid::regclass::text as table, conname as name, contype::text as type, pg_get_constraintdef(oid) as text
     from pg_constraint where (conrelid = $1::regclass and contype in ('p', 'f')) or (confrelid = $1::regclass and contype = 'f')`,
    [table],
  )
  const indexes = await tx.query<Definition>(
    `select '' as table, '' as name, pg_get_indexdef(indexrelid) as text from pg_index
     where indrelid = $1::regclass and indisvalid and not indisprimary`,
    [table],
  )
  return {
    columns: columns.map(({ name }) => name),
    keys: constraints.filter(({ type }) => type === 'p'),
    foreign: constraints.filter(({ type }) => type === 'f'),
    indexes,
  }
}
