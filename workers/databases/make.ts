import type { Attribute, Collection, Index } from '../../prisma/client/client.ts'
import type { Context, TxContext } from '../../src/context.ts'
import { hasOwnColumn } from '../../src/modules/collections/columns.ts'
import { attributeIndexes, extensionOf, indexOf, readersIndex } from '../../src/modules/collections/table-indexes.ts'
import { addColumn, createLinks, createSchema, createTable, validations } from '../../src/modules/collections/tables.ts'
import { raiseRevision } from '../../src/modules/databases/revision.ts'
import { useExtension } from './extensions.ts'
import { Failure } from './fail.ts'
import { makeRoom } from './rewrite.ts'
import { attributesOf, availableCollection, claim, claimParts, hasColumn } from './rows.ts'
import { settleAttribute, settleCollection, settleIndex } from './settle.ts'
import { aside, buildConcurrently, buildInside, isSmall, rewriteTimeoutMs, step } from './step.ts'

/** `later` is what waits for another change, `half` what goes on outside the transaction. */
type Progress = 'done' | 'later' | 'half'

/** A table with all that was asked of it from the beginning, in one step: it is empty, so nothing in it can take long. */
export async function makeCollection(ctx: Context, id: string): Promise<boolean> {
  return step(ctx, async (tx) => {
    const collection = await claim<Collection>(tx, 'collections', id, 'PROCESSING')
    if (!collection) return true
    const asked = await claimParts<Attribute>(tx, 'attributes', id)
    const targets = await statusOfTargets(tx, asked)
    const isReady = (target: string | null) => target === null || target === id || targets.get(target) === 'AVAILABLE'
    const attributes = asked.filter(
      ({ relatedCollectionId, type }) => isReady(relatedCollectionId) && type !== 'VECTOR',
    )
    await tx.query(createSchema(ctx.projectId))
    await tx.query(createTable(collection, attributes))
    for (const attribute of attributes) {
      if (!hasOwnColumn(attribute)) await makeLinks(tx, attribute)
      for (const index of attributeIndexes(collection, attribute)) await tx.query(index.text(false))
    }
    if (collection.documentPermissions) await tx.query(readersIndex(collection).text(false))
    await settleCollection(tx, collection, { status: 'AVAILABLE' })
    for (const attribute of attributes) await settleAttribute(tx, collection, attribute, { status: 'AVAILABLE' })
    await makeFirstIndexes(tx, collection, attributes)
    await raiseRevision(tx)
    return true
  })
}

async function makeFirstIndexes(
  tx: TxContext,
  collection: Collection,
  attributes: readonly Attribute[],
): Promise<void> {
  const known = new Set(['createdAt', 'updatedAt', ...attributes.map(({ key }) => key)])
  for (const index of await claimParts<Index>(tx, 'indexes', collection.id)) {
    // What needs more than PostgreSQL itself is made on its own, so that its failure is its own.
    if (extensionOf(index) || !index.attributes.every((key) => known.has(key))) continue
    await tx.query(indexOf(collection, index, attributes).text(false))
    await settleIndex(tx, collection, index, { status: 'AVAILABLE' })
  }
}

async function statusOfTargets(tx: TxContext, attributes: readonly Attribute[]): Promise<Map<string, string>> {
  const ids = attributes.flatMap(({ relatedCollectionId }) => relatedCollectionId ?? [])
  const rows = await tx.query<{ id: string; status: string }>('select id, status from collections where id = any($1)', [
    ids,
  ])
  return new Map(rows.map(({ id, status }) => [id, status]))
}

export async function makeAttribute(ctx: Context, id: string): Promise<boolean> {
  const begun = await step(ctx, (tx) => beginAttribute(tx, id))
  if (begun.progress !== 'half') return begun.progress === 'done'
  const { collection, attribute } = begun
  for (const index of attributeIndexes(collection, attribute)) await buildConcurrently(ctx, index)
  await aside(ctx, async (query) => {
    for (const text of validations(collection, attribute)) await query(text)
  })
  await step(ctx, async (tx) => {
    if (await claim(tx, 'attributes', id, 'PROCESSING')) await finishAttribute(tx, collection, attribute)
  })
  return true
}

type Begun = { progress: 'done' | 'later' } | { progress: 'half'; collection: Collection; attribute: Attribute }

async function beginAttribute(tx: TxContext, id: string): Promise<Begun> {
  const attribute = await claim<Attribute>(tx, 'attributes', id, 'PROCESSING')
  const collection = attribute && (await availableCollection(tx, attribute.collectionId))
  if (!attribute || !collection) return { progress: 'done' }
  const target = attribute.relatedCollectionId
  const status = target === null ? 'AVAILABLE' : (await statusOfTargets(tx, [attribute])).get(target)
  if (status === 'PROCESSING') return { progress: 'later' }
  if (status !== 'AVAILABLE') throw new Failure('The collection that it points at is not there.')
  if (!hasOwnColumn(attribute)) {
    await makeLinks(tx, attribute)
    await finishAttribute(tx, collection, attribute)
    return { progress: 'done' }
  }
  if (attribute.type === 'VECTOR') await useExtension(tx, 'vector')
  const small = await isSmall(tx, collection.id)
  if (!(await hasColumn(tx, collection, attribute.column))) {
    await makeRoom(tx, collection)
    // A computed column is written for every document.
    if (attribute.computed !== null) await tx.query(`set local statement_timeout = ${rewriteTimeoutMs}`)
    await tx.query(addColumn(collection, attribute, await attributesOf(tx, collection.id)))
  }
  if (!small) return { progress: 'half', collection, attribute }
  for (const index of attributeIndexes(collection, attribute)) await buildInside(tx, index)
  for (const text of validations(collection, attribute)) await tx.query(text)
  await finishAttribute(tx, collection, attribute)
  return { progress: 'done' }
}

async function makeLinks(tx: TxContext, attribute: Attribute): Promise<void> {
  for (const text of createLinks(attribute)) await tx.query(text)
}

async function finishAttribute(tx: TxContext, collection: Collection, attribute: Attribute): Promise<void> {
  await settleAttribute(tx, collection, attribute, { status: 'AVAILABLE' })
  await raiseRevision(tx)
}

export async function makeIndex(ctx: Context, id: string): Promise<boolean> {
  const begun = await step(ctx, (tx) => beginIndex(tx, id))
  if (begun.progress !== 'half') return begun.progress === 'done'
  const { collection, index, attributes } = begun
  await buildConcurrently(ctx, indexOf(collection, index, attributes))
  await step(ctx, async (tx) => {
    if (await claim(tx, 'indexes', id, 'PROCESSING')) await finishIndex(tx, collection, index)
  })
  return true
}

type BegunIndex =
  | { progress: Exclude<Progress, 'half'> }
  | { progress: 'half'; collection: Collection; index: Index; attributes: Attribute[] }

async function beginIndex(tx: TxContext, id: string): Promise<BegunIndex> {
  const index = await claim<Index>(tx, 'indexes', id, 'PROCESSING')
  const collection = index && (await availableCollection(tx, index.collectionId))
  if (!index || !collection) return { progress: 'done' }
  const attributes = await attributesOf(tx, collection.id)
  for (const name of index.attributes.filter((key) => key !== 'createdAt' && key !== 'updatedAt')) {
    const status = attributes.find(({ key }) => key === name)?.status
    if (status === 'PROCESSING' || status === 'CHANGING') return { progress: 'later' }
    if (status !== 'AVAILABLE') throw new Failure(`The attribute “${name}” is not there.`)
  }
  const extension = extensionOf(index)
  if (extension) await useExtension(tx, extension)
  if (!(await isSmall(tx, collection.id))) return { progress: 'half', collection, index, attributes }
  await buildInside(tx, indexOf(collection, index, attributes))
  await finishIndex(tx, collection, index)
  return { progress: 'done' }
}

/** Searches take their language from an index. */
async function finishIndex(tx: TxContext, collection: Collection, index: Index): Promise<void> {
  await settleIndex(tx, collection, index, { status: 'AVAILABLE' })
  await raiseRevision(tx)
}

/** The index by which a reader's documents are found, where documents say who may read them. */
export async function indexReaders(ctx: Context, id: string): Promise<boolean> {
  const found = await step(ctx, async (tx) => {
    const collection = await claim<Collection>(tx, 'collections', id, 'AVAILABLE')
    if (!collection?.documentPermissions) return null
    if (!(await isSmall(tx, id))) return collection
    await buildInside(tx, readersIndex(collection))
    return null
  })
  if (found) await buildConcurrently(ctx, readersIndex(found))
  return true
}
