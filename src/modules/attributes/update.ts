import type { Attribute, Collection } from '../../../prisma/client/client.ts'
import type { AttributeType, OnDelete } from '../../../prisma/client/enums.ts'
import { type Context, type DbContext, type Query, queryOn, transaction } from '../../context.ts'
import { Conflict, Invalid, LimitExceeded } from '../../errors.ts'
import { emit } from '../../event.ts'
import { findFaults } from '../collections/column-change.ts'
import { lockSchema, raiseRevision } from '../databases/revision.ts'
import type { NewPermission } from '../permissions/grants.ts'
import { parsePermission } from '../permissions/roles.ts'
import { getAttribute, identify, takenFields } from './attributes.ts'
import { conversionOf } from './conversions.ts'
import { attributeUpdated } from './events.ts'
import { expressionKeys } from './expressions.ts'
import { renameUses } from './rename.ts'
import { type AttributeShape, type NewAttribute, shapeAttribute } from './shape.ts'
import { hasTrait, type Trait } from './traits.ts'
import { userOfType } from './uses.ts'
import { faultOf, unprotected, verifyShape } from './verify.ts'

/** What is left out stays; null takes it away. */
export type AttributeChanges = {
  id: string
  key?: string | null | undefined
  type?: AttributeType | null | undefined
  list?: boolean | null | undefined
  required?: boolean | null | undefined
  size?: number | null | undefined
  default?: unknown
  min?: unknown
  max?: unknown
  pattern?: string | null | undefined
  elements?: readonly string[] | null | undefined
  unique?: boolean | null | undefined
  permissions?: readonly NewPermission[] | null | undefined
  reverseKey?: string | null | undefined
  onDelete?: OnDelete | null | undefined
  description?: string | null | undefined
}

type Found = Attribute & { collection: Collection }

/** What is done by the worker, for it touches the table. */
const made = ['type', 'list', 'required', 'size', 'min', 'max', 'pattern', 'elements', 'unique', 'onDelete'] as const

/** What a change of the table stores of the new shape. */
export type TableChange = Pick<AttributeShape, (typeof made)[number] | 'default'>

/**
 * Changes an attribute. What only names it, or says who may use it, is in force once it is committed; what touches the
 * table is made by the worker, and until then the attribute is as it was, with the status CHANGING.
 */
export async function updateAttribute(ctx: Context, changes: AttributeChanges): Promise<Attribute> {
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const attribute = await getAttribute(tx, changes.id)
    const { shape, change } = await planChange(tx, attribute, changes)
    const take = takenFields(tx)
    const { collectionId, relatedCollectionId, collection } = attribute
    if (shape.key !== attribute.key) {
      await take(collectionId, shape.key, ['input', 'key'])
      await renameUses(tx, attribute, shape.key)
    }
    if (relatedCollectionId !== null && shape.reverseKey !== null && shape.reverseKey !== attribute.reverseKey)
      await take(relatedCollectionId, shape.reverseKey, ['input', 'reverseKey'])
    const { key, restricted, permissions, reverseKey, description } = shape
    const status = change === null ? ('AVAILABLE' as const) : ('CHANGING' as const)
    const data = { key, restricted, permissions, reverseKey, description, status, statusReason: null } as const
    const updated = await tx.db.attribute.update({
      where: { id: attribute.id },
      data: change === null ? { ...data, default: shape.default } : { ...data, change: JSON.stringify(change) },
    })
    await emit(tx, attributeUpdated, { ...identify(collection, updated), status })
    await raiseRevision(tx)
    return updated
  })
}

export type ChangeCheck = {
  possible: boolean
  /** How many documents stand against it. */
  failing: number
  /** Some of them. */
  examples: { documentId: string; reason: string }[]
}

/** Says what `updateAttribute` would come to, and changes nothing. Throws what it would throw. */
export async function checkAttributeChange(ctx: Context, changes: AttributeChanges): Promise<ChangeCheck> {
  const { attribute, shape, change } = await transaction(ctx, async (tx) => {
    const attribute = await getAttribute(tx, changes.id)
    const take = takenFields(tx)
    const planned = await planChange(tx, attribute, changes)
    if (planned.shape.key !== attribute.key) await take(attribute.collectionId, planned.shape.key, ['input', 'key'])
    return { attribute, ...planned }
  })
  if (change === null) return { possible: true, failing: 0, examples: [] }
  const to = { ...attribute, ...change }
  const { count, examples } = await faultsOf(ctx, attribute, to)
  return {
    possible: count === 0,
    failing: count,
    examples: examples.map(({ documentId, fault }) => ({ documentId, reason: reasonOf(fault, shape) })),
  }
}

const checkTimeoutMs = 15_000

async function faultsOf(ctx: Context, { collection, ...from }: Found, to: Attribute) {
  const client = await ctx.sql.connect()
  try {
    await client.query(`begin read only; set local statement_timeout = ${checkTimeoutMs}; set local timezone = 'UTC'`)
    const until = performance.now() + checkTimeoutMs
    const query: Query = async (text, values) => {
      if (performance.now() > until) throw takesLong()
      return queryOn(client)(text, values)
    }
    return await findFaults(query, collection, from, to)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '57014') throw takesLong()
    throw error
  } finally {
    await client.query('rollback').then(
      () => client.release(),
      (broken) => client.release(broken),
    )
  }
}

function takesLong(): LimitExceeded {
  return new LimitExceeded('Looking through the documents takes longer than 15 seconds.')
}

/** Why a document stands against a change, in words. */
export function reasonOf(fault: string, shape: Pick<AttributeShape, 'type' | 'list' | 'size' | 'min' | 'max'>): string {
  if (fault === 'null') return 'It has no value.'
  if (fault === 'unique') return 'Another document has the same value.'
  if (fault === 'type') return `Its value cannot become ${shape.list ? 'a list of ' : ''}${shape.type}.`
  return `Its value ${faultOf(fault, shape)}.`
}

type Plan = { shape: AttributeShape; change: TableChange | null }

/** What an attribute would be after a change, held to everything that a new one is held to. */
async function planChange(tx: DbContext, attribute: Found, changes: AttributeChanges): Promise<Plan> {
  checkOpen(attribute)
  const shape = shapeAttribute(mergedInput(attribute, changes), ['input'], attribute.computed)
  await verifyShape(tx.query, shape, ['input'])
  await checkRights(tx, attribute, shape)
  const differs = made.some((name) => JSON.stringify(shape[name]) !== JSON.stringify(attribute[name]))
  if (!differs) return { shape, change: null }
  await checkType(tx, attribute, shape)
  const { default: initial } = shape
  const change = Object.fromEntries(made.map((name) => [name, shape[name]])) as Omit<TableChange, 'default'>
  return { shape, change: { ...change, default: initial } }
}

/** What is computed of an attribute with permissions has permissions of its own. */
async function checkRights(tx: DbContext, attribute: Found, { restricted }: AttributeShape): Promise<void> {
  if (restricted === attribute.restricted) return
  const { collectionId, computed, key } = attribute
  const siblings = await tx.db.attribute.findMany({ where: { collectionId, status: { not: 'DELETING' } } })
  if (restricted) {
    const open = siblings.find(
      (one) => !one.restricted && one.computed !== null && expressionKeys(one.computed).has(key),
    )
    if (open) throw new Conflict(`The computed attribute “${open.key}” uses it: give that permissions before.`)
  } else if (computed !== null) {
    const used = expressionKeys(computed)
    const protectedOne = siblings.find((one) => one.restricted && used.has(one.key))
    if (protectedOne) throw unprotected(protectedOne.key, ['input'])
  }
}

function checkOpen({ status }: Found): void {
  if (status === 'DELETING') throw new Conflict('This attribute is being deleted.')
  if (status === 'FAILED') throw new Conflict('This attribute could not be made: delete it and make another.')
  if (status === 'CHANGING') throw new Conflict('This attribute is being changed already.')
  if (status === 'PROCESSING') throw new Conflict('This attribute is still being made.')
}

const changeable = ['list', 'required', 'size', 'default', 'min', 'max', 'pattern', 'elements', 'unique'] as const
const others = ['permissions', 'reverseKey', 'onDelete', 'description'] as const

/** The attribute as one would ask for it anew. What the new type has nothing of is left behind with the old one. */
function mergedInput(attribute: Found, changes: AttributeChanges): NewAttribute {
  const { required, dimensions, encrypted, computed, relation, relatedCollectionId, restricted } = attribute
  const json = (text: string | null): unknown => (text === null ? null : JSON.parse(text))
  const type = changes.type ?? attribute.type
  const input: Record<string, unknown> = {
    ...attribute,
    default: json(attribute.default),
    min: json(attribute.min),
    max: json(attribute.max),
    permissions: restricted ? attribute.permissions.flatMap(parsePermission) : null,
  }
  for (const name of changeable) {
    if (changes[name] !== undefined) input[name] = changes[name]
    else if (type !== attribute.type && name !== 'required' && !hasTrait(type, name as Trait)) input[name] = null
    if (name === 'elements' && type !== 'ENUM' && changes.elements === undefined) input[name] = null
  }
  for (const name of others) if (changes[name] !== undefined) input[name] = changes[name]
  const kept = { required, dimensions, encrypted, computed, relation, relatedCollectionId }
  return { ...kept, ...input, key: changes.key ?? attribute.key, type }
}

/** Throws where no value could become one of the new type, or where something else holds on to the attribute as it is. */
async function checkType(tx: DbContext, attribute: Found, shape: AttributeShape): Promise<void> {
  const isNewType = attribute.type !== shape.type
  const at = ['input', isNewType ? 'type' : 'list']
  if (isNewType || attribute.list !== shape.list) {
    if (attribute.computed !== null || attribute.encrypted)
      throw new Invalid(`${attribute.encrypted ? 'An encrypted' : 'A computed'} attribute keeps its type.`, at)
    if (conversionOf(attribute, shape) === null) {
      const name = ({ list, type }: Pick<AttributeShape, 'list' | 'type'>) => `${list ? 'a list of ' : ''}${type}`
      throw new Invalid(`From ${name(attribute)} to ${name(shape)} is no way: add another attribute instead.`, at)
    }
  }
  const user = await userOfType(tx, attribute.collection, attribute, shape)
  if (user) throw new Conflict(`${user} uses it as it is: delete or change that first.`)
}
