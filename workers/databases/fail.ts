import type { Attribute, Collection, Index } from '../../prisma/client/client.ts'
import type { Context, TxContext } from '../../src/context.ts'
import { hasOwnColumn } from '../../src/modules/collections/columns.ts'
import { dropColumn, dropLinks, qualified } from '../../src/modules/collections/tables.ts'
import { availableCollection, claim, claimParts } from './rows.ts'
import { settleAttribute, settleCollection, settleIndex } from './settle.ts'
import { step } from './step.ts'

/** Why a change cannot be made, in words for the person who asked for it. */
export class Failure extends Error {}

/** Writes down that a change cannot be made, and clears away what there is of it. */
export async function fail(ctx: Context, task: string, id: string, reason: string): Promise<void> {
  const outcome = { status: 'FAILED', reason } as const
  await step(ctx, async (tx) => {
    if (task === 'make-collection') await failCollection(tx, id, reason)
    if (task === 'make-attribute') {
      const attribute = await claim<Attribute>(tx, 'attributes', id, 'PROCESSING')
      const collection = attribute && (await availableCollection(tx, attribute.collectionId))
      if (!attribute || !collection) return
      await tx.query(hasOwnColumn(attribute) ? dropColumn(collection, attribute) : dropLinks(attribute))
      await settleAttribute(tx, collection, attribute, outcome)
    }
    if (task === 'make-change') await failChange(tx, id, reason)
    if (task === 'make-index') {
      const index = await claim<Index>(tx, 'indexes', id, 'PROCESSING')
      const collection = index && (await availableCollection(tx, index.collectionId))
      if (!index || !collection) return
      await tx.query(`drop index if exists ${qualified(tx.projectId, id)}`)
      await settleIndex(tx, collection, index, outcome)
    }
  })
}

/** The attribute stays what it was. Of the change there can be an index, built beside the writers. */
async function failChange(tx: TxContext, id: string, reason: string): Promise<void> {
  const attribute = await claim<Attribute>(tx, 'attributes', id, 'CHANGING')
  const collection = attribute && (await availableCollection(tx, attribute.collectionId))
  if (!attribute || !collection) return
  if (!attribute.unique) await tx.query(`drop index if exists ${qualified(tx.projectId, `${id}_unique`)}`)
  await tx.query('update attributes set change = null where id = $1', [id])
  await settleAttribute(tx, collection, attribute, { status: 'AVAILABLE', reason })
}

async function failCollection(tx: TxContext, id: string, reason: string): Promise<void> {
  const collection = await claim<Collection>(tx, 'collections', id, 'PROCESSING')
  if (!collection) return
  const because = { status: 'FAILED', reason: 'Its collection could not be made.' } as const
  await settleCollection(tx, collection, { status: 'FAILED', reason })
  for (const row of await claimParts<Attribute>(tx, 'attributes', id))
    await settleAttribute(tx, collection, row, because)
  for (const row of await claimParts<Index>(tx, 'indexes', id)) await settleIndex(tx, collection, row, because)
}
