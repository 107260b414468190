import type { Attribute, Collection, Index } from '../../prisma/client/client.ts'
import type { Context, TxContext } from '../../src/context.ts'
import { reasonOf, type TableChange } from '../../src/modules/attributes/update.ts'
import { changeColumn, findFaults } from '../../src/modules/collections/column-change.ts'
import { indexOf, uniqueIndex } from '../../src/modules/collections/table-indexes.ts'
import { qualified } from '../../src/modules/collections/tables.ts'
import { raiseRevision } from '../../src/modules/databases/revision.ts'
import { Failure } from './fail.ts'
import { attributesOf, availableCollection, claim } from './rows.ts'
import { settleAttribute } from './settle.ts'
import { buildConcurrently, buildInside, isSmall, rewriteTimeoutMs, step } from './step.ts'

type Asked = { collection: Collection; from: Attribute; to: Attribute }

/**
 * Makes an attribute what it is to become. Whatever touches the column happens in one transaction: cut off at any moment,
 * the column is as it was. Only the index of what is to be unique is built before, beside the writers of a large table.
 */
export async function makeChange(ctx: Context, id: string): Promise<boolean> {
  const before = await step(ctx, async (tx) => {
    const asked = await claimChange(tx, id)
    if (!asked || !isNewlyUnique(asked) || (await isSmall(tx, asked.collection.id))) return null
    await refuseFaults(tx, asked)
    return asked
  })
  if (before) await buildConcurrently(ctx, uniqueIndex(before.collection, before.to))
  await step(ctx, async (tx) => {
    const asked = await claimChange(tx, id)
    if (!asked) return
    await tx.query(`set local statement_timeout = ${rewriteTimeoutMs}`)
    await tx.query(`set local timezone = 'UTC'`)
    await refuseFaults(tx, asked)
    await changeInside(tx, asked)
  })
  return true
}

async function claimChange(tx: TxContext, id: string): Promise<Asked | null> {
  const from = await claim<Attribute>(tx, 'attributes', id, 'CHANGING')
  const collection = from && (await availableCollection(tx, from.collectionId))
  if (!from || !collection) return null
  const change: TableChange = JSON.parse(from.change ?? '{}')
  return { collection, from, to: { ...from, ...change } }
}

/** Where the type changes too, the index comes with the new column. */
function isNewlyUnique({ from, to }: Asked): boolean {
  return to.unique && !from.unique && from.type === to.type
}

async function refuseFaults(tx: TxContext, { collection, from, to }: Asked): Promise<void> {
  const { count, examples } = await findFaults(tx.query, collection, from, to)
  const [first] = examples
  if (!first) return
  const many = count === 1 ? 'One document stands' : `${count} documents stand`
  throw new Failure(`${many} against it, as “${first.documentId}”: ${reasonOf(first.fault, to)}`)
}

async function changeInside(tx: TxContext, { collection, from, to }: Asked): Promise<void> {
  const index = uniqueIndex(collection, to)
  if (!to.unique) await tx.query(`drop index if exists ${qualified(tx.projectId, index.name)}`)
  for (const text of changeColumn(collection, from, to)) await tx.query(text)
  if (to.unique) await buildInside(tx, index)
  await remakeIndexes(tx, { collection, from, to })
  await tx.query(
    `update attributes set type = $2::"AttributeType", list = $3, required = $4, size = $5, min = $6, max = $7, pattern = $8,
       elements = $9, "unique" = $10, "onDelete" = $11::"OnDelete", "default" = $12, change = null where id = $1`,
    [
      from.id,
      to.type,
      to.list,
      to.required,
      to.size,
      to.min,
      to.max,
      to.pattern,
      to.elements,
      to.unique,
      to.onDelete,
      to.default,
    ],
  )
  await settleAttribute(tx, collection, from, { status: 'AVAILABLE' })
  await raiseRevision(tx)
}

/** An index of what may be null says where nulls come, and one of what is required does not: an order asks in the same words. */
async function remakeIndexes(tx: TxContext, { collection, from, to }: Asked): Promise<void> {
  if (from.required === to.required) return
  const attributes = await attributesOf(tx, collection.id)
  const indexes = await tx.query<Index>(
    `select * from indexes where "collectionId" = $1 and status = 'AVAILABLE' and $2 = any(attributes)`,
    [collection.id, from.key],
  )
  for (const index of indexes) {
    const [before, after] = [from, to].map((now) =>
      indexOf(
        collection,
        index,
        attributes.map((one) => (one.id === from.id ? now : one)),
      ),
    )
    if (!before || !after || before.text(false) === after.text(false)) continue
    await tx.query(`drop index if exists ${qualified(tx.projectId, index.id)}`)
    await buildInside(tx, after)
  }
}
