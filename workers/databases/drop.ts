import type { Attribute, Collection, Index } from '../../prisma/client/client.ts'
import type { Context } from '../../src/context.ts'
import { emit } from '../../src/event.ts'
import { identify as identifyAttribute } from '../../src/modules/attributes/attributes.ts'
import { attributeDeleted } from '../../src/modules/attributes/events.ts'
import { hasOwnColumn } from '../../src/modules/collections/columns.ts'
import { dropColumn, dropLinks, dropNotNull, qualified } from '../../src/modules/collections/tables.ts'
import { raiseRevision } from '../../src/modules/databases/revision.ts'
import { indexDeleted } from '../../src/modules/indexes/events.ts'
import { identify as identifyIndex } from '../../src/modules/indexes/indexes.ts'
import { claim, hasColumn } from './rows.ts'
import { step } from './step.ts'

/** Types lose these attributes now; their columns stay for those API nodes that have not heard of it, and need no value. */
export async function retireAttributes(ctx: Context, ids: readonly string[]): Promise<void> {
  await step(ctx, async (tx) => {
    for (const id of ids) {
      const attribute = await claim<Attribute>(tx, 'attributes', id, 'DELETING')
      const place = { projectId: ctx.projectId, id: attribute?.collectionId ?? '' }
      if (attribute?.required && attribute.computed === null && (await hasColumn(tx, place, attribute.column)))
        await tx.query(dropNotNull(place, attribute))
    }
    await raiseRevision(tx)
  })
}

export async function dropAttribute(ctx: Context, id: string): Promise<boolean> {
  return step(ctx, async (tx) => {
    const attribute = await claim<Attribute>(tx, 'attributes', id, 'DELETING')
    if (!attribute) return true
    const [collection] = await tx.query<Collection>('select * from collections where id = $1', [attribute.collectionId])
    if (!collection) return true
    await tx.query(hasOwnColumn(attribute) ? dropColumn(collection, attribute) : dropLinks(attribute))
    await tx.query('delete from attributes where id = $1', [id])
    await emit(tx, attributeDeleted, identifyAttribute(collection, attribute))
    await raiseRevision(tx)
    return true
  })
}

export async function dropIndex(ctx: Context, id: string): Promise<boolean> {
  return step(ctx, async (tx) => {
    const index = await claim<Index>(tx, 'indexes', id, 'DELETING')
    if (!index) return true
    const [collection] = await tx.query<Collection>('select * from collections where id = $1', [index.collectionId])
    if (!collection) return true
    await tx.query(`drop index if exists ${qualified(ctx.projectId, id)}`)
    await tx.query('delete from indexes where id = $1', [id])
    await emit(tx, indexDeleted, identifyIndex(collection, index))
    return true
  })
}

export async function forgetReaders(ctx: Context, id: string): Promise<boolean> {
  return step(ctx, async (tx) => {
    const collection = await claim<Collection>(tx, 'collections', id, 'AVAILABLE')
    if (collection?.documentPermissions === false)
      await tx.query(`drop index if exists ${qualified(ctx.projectId, `${id}_read`)}`)
    return true
  })
}

/** A table whose row is gone: of a collection, or of the links of a relation. */
export async function dropTable(ctx: Context, id: string): Promise<boolean> {
  return step(ctx, async (tx) => {
    const rows = await tx.query(
      'select 1 from collections where id = $1 union all select 1 from attributes where id = $1',
      [id],
    )
    if (rows.length === 0) await tx.query(`drop table if exists ${qualified(ctx.projectId, id)} cascade`)
    return true
  })
}
