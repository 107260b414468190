import type { Pool } from 'pg'

/** What is still to be done, in the order in which it is done. */
const tasks = [
  'make-collection',
  'drop-index',
  'make-attribute',
  'make-change',
  'make-index',
  'index-readers',
  'forget-readers',
  'drop-attribute',
  'drop-table',
] as const

/** `id` is that of the row that asks for it; of the table, where the row is gone. */
export type Change = { task: (typeof tasks)[number]; id: string }

/** Where the row is that asks for a change, of those that can fail. */
export const rowsOf: Readonly<Partial<Record<Change['task'], string>>> = {
  'make-collection': 'collections',
  'make-attribute': 'attributes',
  'make-change': 'attributes',
  'make-index': 'indexes',
}

const readers = `select x.indisvalid from pg_index x where x.indexrelid = to_regclass(format('%I.%I', c."projectId", c.id || '_read'))`

/** A table whose row is gone: of a collection, or of the links of a relation. */
const orphaned = `(tablename like 'col\\_%' and not exists (select from collections c where c.id = tablename)
  or tablename like 'att\\_%' and not exists (select from attributes a where a.id = tablename))`

const parts: Record<Change['task'], string> = {
  'make-collection': `select id, "createdAt" from collections c where status = 'PROCESSING' and "projectId" = $1`,
  'drop-index': ofCollections('indexes', 'DELETING'),
  'make-attribute': ofCollections('attributes', 'PROCESSING'),
  'make-change': ofCollections('attributes', 'CHANGING'),
  'make-index': ofCollections('indexes', 'PROCESSING'),
  'index-readers': `select id, "createdAt" from collections c
     where status = 'AVAILABLE' and "projectId" = $1 and "documentPermissions" and not coalesce((${readers}), false)`,
  'forget-readers': `select id, "createdAt" from collections c
     where status = 'AVAILABLE' and "projectId" = $1 and not "documentPermissions" and exists (${readers})`,
  // What is computed goes before what it is computed of.
  'drop-attribute': ofCollections('attributes', 'DELETING').replace(
    'x."createdAt"',
    `case when x.computed is null then x."createdAt" else 'epoch' end`,
  ),
  'drop-table': `select tablename, 'epoch'::timestamptz from pg_tables where schemaname = $1 and ${orphaned}`,
}

function ofCollections(table: string, status: string): string {
  return `select x.id, x."createdAt" from ${table} x join collections c on c.id = x."collectionId"
    where x.status = '${status}' and c.status = 'AVAILABLE' and c."projectId" = $1`
}

const pending = tasks
  .map((task, rank) => `select ${rank} as rank, '${task}' as task, part.* from (${parts[task]}) part (id, at)`)
  .join(' union all ')

export async function pendingChanges(sql: Pool, projectId: string): Promise<Change[]> {
  const { rows } = await sql.query<Change>(`select task, id from (${pending}) all_of_them order by rank, at, id`, [
    projectId,
  ])
  return rows
}

/** The projects where something has waited for longer than it should. */
export async function projectsBehind(sql: Pool, before: Date): Promise<string[]> {
  const nouns = ['collections', 'attributes', 'indexes']
  const waiting = nouns.map(
    (noun) =>
      `select "projectId" from ${noun} where status in ('PROCESSING', 'CHANGING', 'DELETING') and "updatedAt" < $1`,
  )
  const { rows } = await sql.query<{ projectId: string }>(
    `${waiting.join(' union ')}
     union select schemaname from pg_tables join projects p on p.id = schemaname where ${orphaned}`,
    [before],
  )
  return rows.map((row) => row.projectId)
}
