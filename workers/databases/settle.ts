import type { Attribute, Collection, Index } from '../../prisma/client/client.ts'
import type { TxContext } from '../../src/context.ts'
import { emit } from '../../src/event.ts'
import { identify as identifyAttribute } from '../../src/modules/attributes/attributes.ts'
import { attributeUpdated } from '../../src/modules/attributes/events.ts'
import { identify as identifyCollection } from '../../src/modules/collections/collections.ts'
import { collectionUpdated } from '../../src/modules/collections/events.ts'
import { indexUpdated } from '../../src/modules/indexes/events.ts'
import { identify as identifyIndex } from '../../src/modules/indexes/indexes.ts'

type Outcome = { status: 'AVAILABLE'; reason?: string } | { status: 'FAILED'; reason: string }

export async function settleCollection(tx: TxContext, collection: Collection, outcome: Outcome): Promise<void> {
  await write(tx, 'collections', collection.id, outcome)
  await emit(tx, collectionUpdated, { ...identifyCollection(collection), status: outcome.status })
}

export async function settleAttribute(
  tx: TxContext,
  collection: Collection,
  attribute: Attribute,
  outcome: Outcome,
): Promise<void> {
  await write(tx, 'attributes', attribute.id, outcome)
  await emit(tx, attributeUpdated, { ...identifyAttribute(collection, attribute), status: outcome.status })
}

export async function settleIndex(
  tx: TxContext,
  collection: Collection,
  index: Index,
  outcome: Outcome,
): Promise<void> {
  await write(tx, 'indexes', index.id, outcome)
  await emit(tx, indexUpdated, { ...identifyIndex(collection, index), status: outcome.status })
}

async function write(tx: TxContext, table: string, id: string, outcome: Outcome): Promise<void> {
  const reason = outcome.reason ?? null
  await tx.query(
    `update ${table} set status = $2::"SchemaStatus", "statusReason" = $3, "updatedAt" = clock_timestamp() where id = $1`,
    [id, outcome.status, reason],
  )
}
