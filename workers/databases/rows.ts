import type { Attribute, Collection, Index } from '../../prisma/client/client.ts'
import type { TxContext } from '../../src/context.ts'
import { qualified } from '../../src/modules/collections/tables.ts'

/** Reads a row that asks for a change, and holds it to the end of the step. Null when it no longer asks for that. */
export async function claim<Row extends Collection | Attribute | Index>(
  tx: TxContext,
  table: 'collections' | 'attributes' | 'indexes',
  id: string,
  status: 'PROCESSING' | 'CHANGING' | 'DELETING' | 'AVAILABLE',
): Promise<Row | null> {
  const [row] = await tx.query<Row>(`select * from ${table} where id = $1 and status = $2::"SchemaStatus" for update`, [
    id,
    status,
  ])
  return row ?? null
}

/** What is asked of a collection beside itself, held to the end of the step. */
export async function claimParts<Row extends Attribute | Index>(
  tx: TxContext,
  table: 'attributes' | 'indexes',
  collectionId: string,
): Promise<Row[]> {
  return tx.query<Row>(
    `select * from ${table} where "collectionId" = $1 and status = 'PROCESSING' order by id for update`,
    [collectionId],
  )
}

/** The collection of an attribute or index; null when it has none that could be changed. */
export async function availableCollection(tx: TxContext, id: string): Promise<Collection | null> {
  const [collection] = await tx.query<Collection>(`select * from collections where id = $1 and status = 'AVAILABLE'`, [
    id,
  ])
  return collection ?? null
}

/** All attributes of a collection, whatever their status. */
export async function attributesOf(tx: TxContext, collectionId: string): Promise<Attribute[]> {
  return tx.query<Attribute>('select * from attributes where "collectionId" = $1', [collectionId])
}

export async function hasColumn(
  tx: TxContext,
  collection: Pick<Collection, 'id' | 'projectId'>,
  column: string,
): Promise<boolean> {
  const rows = await tx.query(
    'select 1 from pg_attribute where attrelid = to_regclass($1) and attname = $2 and not attisdropped',
    [qualified(collection.projectId, collection.id), column],
  )
  return rows.length > 0
}
