import { type Context, sqlTransaction, type TxContext } from '../context.ts'
import { Forbidden, Invalid, NotFound } from '../errors.ts'
import { emit } from '../event.ts'
import { newId } from '../lib/ids.ts'
import { documentCreated, documentUpdated } from './events.ts'
import { translate, unrelated } from './faults.ts'
import { defaultGrants, type Grants, noGrants, parseGrants } from './grants.ts'
import { type Image, imageColumns } from './image.ts'
import { isDocumentId, type Setting, settingsForCreate, settingsForUpdate } from './input.ts'
import { imageSql } from './json.ts'
import { type CollectionModel, type ProjectModel, quote } from './model.ts'
import { type Holder, holderOf, mayCreate, readFilter, rightFilter } from './permissions.ts'
import type { Plan } from './plan.ts'
import { answerImage } from './read.ts'
import { openScope } from './scope.ts'
import { join } from './where-sql.ts'

type Input = Readonly<Record<string, unknown>>

/** Runs a change of documents; what PostgreSQL refuses becomes an error of ours. */
export async function changing<T>(
  ctx: Context,
  collection: CollectionModel,
  fn: (tx: TxContext) => Promise<T>,
): Promise<T> {
  try {
    return await sqlTransaction(ctx, fn)
  } catch (error) {
    throw translate(error, collection)
  }
}

/** Answers what `plan` asks of the new document. */
export async function createDocument(
  ctx: Context,
  model: ProjectModel,
  collection: CollectionModel,
  input: Input,
  plan: Plan,
): Promise<unknown> {
  const holder = holderOf(ctx)
  if (!mayCreate(collection, holder.write)) throw new Forbidden('You may not create documents here.')
  const id = idOf(input)
  const grants = givenGrants(collection, input, holder, noGrants) ?? defaultGrants(collection, holder.write.roles)
  const settings = settingsForCreate(collection, input)
  return changing(ctx, collection, async (tx) => {
    await requireRelated(tx, model, collection, settings, holder)
    const now = ctx.clock()
    const after = await insert(tx, collection, [
      { name: '_id', type: 'text', value: id },
      { name: '_createdAt', type: 'timestamptz', value: now },
      { name: '_updatedAt', type: 'timestamptz', value: now },
      ...settings,
      ...grantSettings(grants),
    ])
    await emit(tx, documentCreated, payloadOf(collection, null, after))
    return answerImage(tx, model, plan, after)
  })
}

/** Answers what `plan` asks of the changed document. */
export async function updateDocument(
  ctx: Context,
  model: ProjectModel,
  collection: CollectionModel,
  input: Input,
  plan: Plan,
): Promise<unknown> {
  const holder = holderOf(ctx)
  const settings = settingsForUpdate(collection, input)
  return changing(ctx, collection, async (tx) => {
    const before = await lockDocument(tx, model, collection, input.id, 'update', holder)
    const grants = givenGrants(collection, input, holder, before)
    await requireRelated(tx, model, collection, settings, holder)
    const updatedAt = { name: '_updatedAt', type: 'timestamptz', value: ctx.clock() }
    const after = await update(tx, collection, before._id, [
      updatedAt,
      ...settings,
      ...(grants ? grantSettings(grants) : []),
    ])
    await emit(tx, documentUpdated, payloadOf(collection, before, after))
    return answerImage(tx, model, plan, after)
  })
}

function idOf(input: Input): string {
  const given = Object.hasOwn(input, 'id') ? input.id : null
  if (given === null || given === undefined) return newId('doc')
  if (!isDocumentId(given)) throw new Invalid('An id has 1 to 64 of the characters A-Z a-z 0-9 . _ -', ['input', 'id'])
  return given
}

function givenGrants(collection: CollectionModel, input: Input, holder: Holder, before: Grants): Grants | null {
  return Object.hasOwn(input, 'permissions')
    ? parseGrants(collection, input.permissions, holder.write.roles, before)
    : null
}

function grantSettings(grants: Grants): Setting[] {
  return Object.entries(grants).map(([name, value]) => ({ name, type: 'text[]', value }))
}

/**
 * Locks a document that the caller may change, and answers it as it is. What he may not read is not there for him; what
 * he may read but not change is forbidden.
 */
export async function lockDocument(
  tx: TxContext,
  model: ProjectModel,
  collection: CollectionModel,
  id: unknown,
  right: 'update' | 'delete',
  holder: Holder,
): Promise<Image> {
  const absent = new NotFound('There is no such document.')
  if (!isDocumentId(id)) throw absent
  const scope = openScope(model, holder.read)
  // A key that may only write is limited to no rows, and needs to see what it changes.
  const readable = holder.write.roles === null ? 'true' : readFilter(scope, collection, 't')
  const allowed = rightFilter(right, collection, holder.write, 't', scope)
  const conditions = join([`t."_id" = ${scope.param(id, 'text')}`, readable], 'and', 'true')
  const [row] = await tx.query<{ image: Image; allowed: boolean }>(
    `select ${imageSql(collection, 't')} as image, ${allowed} as allowed from ${collection.table} t where ${conditions} for update`,
    scope.bound(),
  )
  if (!row) throw absent
  if (!row.allowed) throw new Forbidden('You may not change this document.')
  return row.image
}

/** A document that the caller may not read cannot be pointed at, in the same words as one that is not there. */
async function requireRelated(
  tx: TxContext,
  model: ProjectModel,
  collection: CollectionModel,
  settings: readonly Setting[],
  holder: Holder,
) {
  const scope = openScope(model, holder.write.roles === null ? holder.write : holder.read)
  const neighbours = [...collection.neighbours.values()]
  const checks = settings.flatMap(({ name, value }) => {
    const neighbour = neighbours.find(({ join: way }) => way.kind === 'to' && way.column === name)
    const related = model.collections.get(neighbour?.collectionId ?? '')
    if (!neighbour || !related || value === null) return []
    const conditions = join([`r."_id" = ${scope.param(value, 'text')}`, readFilter(scope, related, 'r')], 'and', 'true')
    return [`exists (select from ${related.table} r where ${conditions}) as ${quote(neighbour.key)}`]
  })
  if (checks.length === 0) return
  const [found] = await tx.query(`select ${checks.join(', ')}`, scope.bound())
  const [missing] = Object.entries(found ?? {}).find(([, exists]) => exists === false) ?? []
  if (missing !== undefined) throw unrelated(missing)
}

async function insert(tx: TxContext, collection: CollectionModel, settings: readonly Setting[]): Promise<Image> {
  const columns = settings.map(({ name }) => quote(name)).join(', ')
  const places = settings.map(({ type }, i) => `$${i + 1}::${type}`).join(', ')
  const text = `insert into ${collection.table} as t (${columns}) values (${places}) returning ${imageSql(collection, 't')} as image`
  return imageOf(
    await tx.query<{ image: Image }>(
      text,
      settings.map(({ value }) => value),
    ),
  )
}

async function update(
  tx: TxContext,
  collection: CollectionModel,
  id: string,
  settings: readonly Setting[],
): Promise<Image> {
  const sets = settings.map(({ name, type }, i) => `${quote(name)} = $${i + 2}::${type}`).join(', ')
  const text = `update ${collection.table} as t set ${sets}, "_version" = t."_version" + 1 where t."_id" = $1 returning ${imageSql(collection, 't')} as image`
  return imageOf(await tx.query<{ image: Image }>(text, [id, ...settings.map(({ value }) => value)]))
}

function imageOf([row]: { image: Image }[]): Image {
  if (!row) throw new Error('A written row was not answered.')
  return row.image
}

/** What the log keeps of a change. */
export function payloadOf(collection: CollectionModel, before: Image | null, after: Image | null) {
  const { databaseId, id: collectionId, key: collectionKey } = collection
  const id = (after ?? before)?._id ?? ''
  return {
    databaseId,
    collectionId,
    collectionKey,
    id,
    before,
    after,
    changed: before && after ? changedFields(collection, before, after) : [],
  }
}

function changedFields(collection: CollectionModel, before: Image, after: Image): string[] {
  const names = imageColumns(collection).map(({ name }) => name)
  const differing = names.filter(
    (name) =>
      name !== '_updatedAt' && name !== '_version' && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  const attributes = differing.filter((name) => !name.startsWith('_'))
  return attributes.length < differing.length ? [...attributes, 'permissions'] : attributes
}
