import { Failure } from '../failure.ts'
import { type Bench, type Part, requireMade, requireSame } from './bench.ts'
import { isThere } from './remote.ts'
import { type Shape, splitPath } from './shape.ts'
import type { Step, StepOf } from './steps.ts'

type Run<Kind extends Step['do']> = (bench: Bench, step: StepOf<Kind>) => Promise<unknown>

/** Does a step. One whose outcome is there already is passed over, so that a run that broke off can be taken up again. */
export async function runStep(bench: Bench, step: Step): Promise<void> {
  const run = runs[step.do] as (bench: Bench, step: Step) => Promise<unknown>
  await run(bench, step)
}

const createDatabase: Run<'createDatabase'> = async ({ remote, create }, { database, name }) => {
  if ((await remote.databases()).has(database)) return
  await create('createDatabase', { key: database, name })
}

const updateDatabase: Run<'updateDatabase'> = async ({ remote, create }, { database, name }) => {
  const found = (await remote.databases()).get(database)
  if (!found) throw new Failure(`There is no database ${database}.`)
  await create('updateDatabase', { id: found.id, name })
}

const deleteDatabase: Run<'deleteDatabase'> = async (bench, { database }) => {
  const found = (await bench.remote.databases()).get(database)
  if (found) await bench.delete('deleteDatabase', found.id)
}

const createCollection: Run<'createCollection'> = async (bench, { collection: path, ...wanted }) => {
  const { database, key } = splitPath(path)
  const old = bench.collections.get(path)
  if (old && isThere(old)) return requireSame(path, withoutTypeName(bench.shapeOf(old), wanted), wanted)
  if (old) await removePart(bench, 'deleteCollection', old, old.id)
  const found = (await bench.remote.databases()).get(database)
  if (!found) throw new Failure(`There is no database ${database}.`)
  const { settings, attributes, indexes } = wanted
  const listed = (name: string, shapes: Readonly<Record<string, Shape>>) =>
    Object.entries(shapes).map(([part, shape]) => bench.inputOf(name, path, shape, { key: part }))
  const id = await bench.create('createCollection', {
    permissions: [],
    ...bench.inputOf('CreateCollectionInput', path, settings, { databaseId: found.id, key }),
    attributes: listed('AttributeInput', attributes),
    indexes: listed('IndexInput', indexes),
  })
  const made = await bench.settle(id)
  requireMade(made)
  for (const part of [...(made?.attributes.values() ?? []), ...(made?.indexes.values() ?? [])]) requireMade(part)
}

/** Nobody asked for a type name: it is as the server has made it. */
function withoutTypeName(there: { settings: Shape }, { settings }: { settings: Shape }) {
  const { typeName, ...rest } = there.settings
  return { ...there, settings: settings.typeName === undefined ? rest : there.settings }
}

const renameCollection: Run<'renameCollection'> = async (bench, { collection: path, to }) => {
  if (!bench.collections.has(path) && bench.collections.has(to)) return
  const { id } = bench.find(path)
  await bench.create(
    'updateCollection',
    bench.inputOf('UpdateCollectionInput', path, { key: splitPath(to).key }, { id }),
  )
  requireMade(await bench.settle(id))
}

const updateCollection: Run<'updateCollection'> = async (bench, { collection: path, set }) => {
  const { id } = bench.find(path)
  const whole = {
    ...set,
    ...(set.name === null ? { name: splitPath(path).key } : {}),
    ...(set.permissions === null ? { permissions: [] } : {}),
  }
  await bench.create('updateCollection', bench.inputOf('UpdateCollectionInput', path, whole, { id }))
  requireMade(await bench.settle(id))
}

const deleteCollection: Run<'deleteCollection'> = async (bench, { collection }) => {
  const found = bench.collections.get(collection)
  if (found) await removePart(bench, 'deleteCollection', found, found.id)
}

const createAttribute: Run<'createAttribute'> = async (bench, { collection: path, attribute, shape }) => {
  const collection = bench.find(path)
  const old = collection.attributes.get(attribute)
  if (old && isThere(old)) {
    return requireSame(`attribute ${path}.${attribute}`, bench.shapeOf(collection).attributes[attribute], shape)
  }
  if (old) await removePart(bench, 'deleteAttribute', old, collection.id)
  const whole = { collectionId: collection.id, key: attribute }
  await bench.create('createAttribute', bench.inputOf('CreateAttributeInput', path, shape, whole))
  requireMade((await bench.settle(collection.id))?.attributes.get(attribute))
}

const renameAttribute: Run<'renameAttribute'> = async (bench, { collection: path, attribute, to }) => {
  const { id, attributes } = bench.find(path)
  const found = attributes.get(attribute)
  if (!found && attributes.has(to)) return
  if (!found) throw new Failure(`There is no attribute ${path}.${attribute}.`)
  await bench.create('updateAttribute', bench.inputOf('UpdateAttributeInput', path, { key: to }, { id: found.id }))
  requireMade((await bench.settle(id))?.attributes.get(to))
}

const updateAttribute: Run<'updateAttribute'> = async (bench, { collection: path, attribute, set }) => {
  const { id, attributes } = bench.find(path)
  const found = attributes.get(attribute)
  if (!found) throw new Failure(`There is no attribute ${path}.${attribute}.`)
  await bench.create('updateAttribute', bench.inputOf('UpdateAttributeInput', path, set, { id: found.id }))
  requireMade((await bench.settle(id))?.attributes.get(attribute))
}

const deleteAttribute: Run<'deleteAttribute'> = async (bench, { collection: path, attribute }) => {
  const collection = bench.collections.get(path)
  const found = collection?.attributes.get(attribute)
  if (collection && found) await removePart(bench, 'deleteAttribute', found, collection.id)
}

const createIndex: Run<'createIndex'> = async (bench, { collection: path, index, shape }) => {
  const collection = bench.find(path)
  const old = collection.indexes.get(index)
  if (old && isThere(old)) {
    return requireSame(`index ${path}.${index}`, bench.shapeOf(collection).indexes[index], shape)
  }
  if (old) await removePart(bench, 'deleteIndex', old, collection.id)
  const whole = { collectionId: collection.id, key: index }
  await bench.create('createIndex', bench.inputOf('CreateIndexInput', path, shape, whole))
  requireMade((await bench.settle(collection.id))?.indexes.get(index))
}

const deleteIndex: Run<'deleteIndex'> = async (bench, { collection: path, index }) => {
  const collection = bench.collections.get(path)
  const found = collection?.indexes.get(index)
  if (collection && found) await removePart(bench, 'deleteIndex', found, collection.id)
}

async function removePart(bench: Bench, field: string, { id }: Part, collectionId: string): Promise<void> {
  await bench.delete(field, id)
  await bench.settle(collectionId)
}

const runs: { [Kind in Step['do']]: Run<Kind> } = {
  createDatabase,
  updateDatabase,
  deleteDatabase,
  createCollection,
  renameCollection,
  updateCollection,
  deleteCollection,
  createAttribute,
  renameAttribute,
  updateAttribute,
  deleteAttribute,
  createIndex,
  deleteIndex,
}
