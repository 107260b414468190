import { isDeepStrictEqual } from 'node:util'
import { type CollectionShape, differences, type Renames, type SchemaShape, type Shape, splitPath } from './shape.ts'
import type { Step, StepOf } from './steps.ts'

/** An attribute that has another one of these is another attribute: its values cannot be kept. */
const fixed = ['to', 'relation', 'encrypted', 'computed', 'dimensions']

/** What makes `to` of `from`, in an order in which each step can be done. Renames that have been made already count for nothing. */
export function planSteps(from: SchemaShape, to: SchemaShape, renames: Renames = {}): Step[] {
  const renaming = renameSteps(from, to, renames)
  const base = applyRenames(from, renaming)
  const parts = Object.keys(to.collections)
    .filter((path) => path in base.collections)
    .map((path) => changesOf(path, collectionAt(base, path), collectionAt(to, path)))
  const created = keysOnlyIn(to.collections, base.collections)
  const gone = keysOnlyIn(base.collections, to.collections)
  const creations = created.map((path) => creation(path, collectionAt(to, path)))
  return [
    ...renaming,
    ...parts.flatMap(({ dropIndexes }) => dropIndexes),
    ...keysOnlyIn(to.databases, base.databases).map((database): Step => createDatabase(to, database)),
    ...namings(base, to),
    ...creations.map(({ create }) => create),
    ...parts.flatMap(({ replace }) => replace),
    ...relationsLast([...parts.flatMap(({ create }) => create), ...creations.flatMap(({ relations }) => relations)]),
    ...parts.flatMap(({ update }) => update),
    ...[...parts.flatMap(({ createIndexes }) => createIndexes), ...creations.flatMap(({ indexes }) => indexes)],
    ...parts.flatMap(({ settings }) => settings),
    ...parts.flatMap(({ remove }) => remove),
    ...deletions(base, gone),
    ...keysOnlyIn(base.databases, to.databases).map((database): Step => ({ do: 'deleteDatabase', database })),
  ]
}

/** The renames that `planSteps` would make, turned round: those of the way back. */
export function reverseRenames(steps: readonly Step[]): Renames {
  const pairs = steps.flatMap((step): [string, string][] => {
    if (step.do === 'renameCollection') return [[step.to, step.collection]]
    if (step.do !== 'renameAttribute') return []
    const { collection } = step
    const before = steps.find((other) => other.do === 'renameCollection' && other.to === collection)
    const old = before?.do === 'renameCollection' ? before.collection : collection
    return [[`${old}.${step.to}`, `${old}.${step.attribute}`]]
  })
  return Object.fromEntries(pairs)
}

type Renaming = StepOf<'renameCollection' | 'renameAttribute'>

function renameSteps(from: SchemaShape, to: SchemaShape, renames: Renames): Renaming[] {
  const steps: Renaming[] = []
  const pathNow = (path: string) => {
    const step = steps.find((one) => one.do === 'renameCollection' && one.collection === path)
    return step ? step.to : path
  }
  const entries = Object.entries(renames)
  for (const [old, path] of entries.filter(([name]) => name.split('.').length === 2)) {
    if (old in from.collections && !(path in from.collections) && !(old in to.collections) && path in to.collections) {
      steps.push({ do: 'renameCollection', collection: old, to: path })
    }
  }
  for (const [old, name] of entries.filter(([name]) => name.split('.').length === 3)) {
    const [collection = '', before = ''] = splitAttribute(old)
    const after = splitAttribute(name)[1] ?? ''
    const now = pathNow(collection)
    // The collection may go by its new name, in which the old one is not to be found.
    const source = steps.find((one) => one.do === 'renameCollection' && one.to === collection)
    const had = from.collections[source?.collection ?? collection]?.attributes ?? {}
    const has = to.collections[now]?.attributes ?? {}
    if (before in had && !(after in had) && !(before in has) && after in has) {
      steps.push({ do: 'renameAttribute', collection: now, attribute: before, to: after })
    }
  }
  return steps
}

function splitAttribute(path: string): string[] {
  const at = path.lastIndexOf('.')
  return [path.slice(0, at), path.slice(at + 1)]
}

/** The schema as it is after these renames, as far as names go. */
function applyRenames(from: SchemaShape, steps: readonly Renaming[]): SchemaShape {
  const collectionOf = (path: string) =>
    steps.find((s) => s.do === 'renameCollection' && s.collection === path)?.to ?? path
  const collections = Object.entries(from.collections).map(([old, shape]): [string, CollectionShape] => {
    const path = collectionOf(old)
    const { database, key } = splitPath(old)
    const keyOf = (attribute: string) =>
      steps.find((s) => s.do === 'renameAttribute' && s.collection === path && s.attribute === attribute)?.to ??
      attribute
    const target = (to: string) => {
      const full = to.includes('.') ? to : `${database}.${to}`
      const now = collectionOf(full)
      return now === full ? to : now.startsWith(`${database}.`) ? splitPath(now).key : now
    }
    const attributes = Object.entries(shape.attributes).map(([name, attribute]): [string, Shape] => [
      keyOf(name),
      typeof attribute.to === 'string' ? { ...attribute, to: target(attribute.to) } : attribute,
    ])
    const indexes = Object.entries(shape.indexes).map(([name, index]): [string, Shape] => [
      name,
      { ...index, attributes: (index.attributes as string[]).map(keyOf) },
    ])
    // Its name was its key until now, and stays.
    const settings = path === old || shape.settings.name ? shape.settings : { ...shape.settings, name: key }
    return [path, { settings, attributes: Object.fromEntries(attributes), indexes: Object.fromEntries(indexes) }]
  })
  return { ...from, collections: Object.fromEntries(collections) }
}

function changesOf(collection: string, from: CollectionShape, to: CollectionShape) {
  const deleted = keysOnlyIn(from.attributes, to.attributes)
  const both = Object.keys(to.attributes).filter((key) => key in from.attributes)
  const changed = both
    .map((key) => ({
      key,
      shape: shapeAt(to.attributes, key),
      set: differences(shapeAt(from.attributes, key), shapeAt(to.attributes, key)),
    }))
    .filter(({ set }) => Object.keys(set).length > 0)
  const isReplaced = ({ key, set }: { key: string; set: Shape }) => {
    const types = [shapeAt(from.attributes, key).type, shapeAt(to.attributes, key).type]
    return fixed.some((name) => name in set) || ('type' in set && types.includes('RELATION'))
  }
  const replaced = changed.filter(isReplaced)
  const touched = new Set([...deleted, ...replaced.map(({ key }) => key)])
  const stays = ([key, index]: [string, Shape]) =>
    isDeepStrictEqual(to.indexes[key], index) && !(index.attributes as string[]).some((name) => touched.has(name))
  const kept = new Set(
    Object.entries(from.indexes)
      .filter(stays)
      .map(([key]) => key),
  )
  const { typeName, ...settings } = differences(from.settings, to.settings)
  // Where nobody asked for a type name, it is as the server has made it.
  const asked = from.settings.typeName !== undefined && to.settings.typeName !== undefined
  const set = asked && typeName !== undefined ? { typeName, ...settings } : settings
  const drop = (attribute: string): Step => ({ do: 'deleteAttribute', collection, attribute })
  const make = (attribute: string): Step => ({
    do: 'createAttribute',
    collection,
    attribute,
    shape: shapeAt(to.attributes, attribute),
  })
  return {
    dropIndexes: sorted(from.indexes)
      .filter((key) => !kept.has(key))
      .map((index): Step => ({ do: 'deleteIndex', collection, index })),
    replace: replaced.map(({ key }) => drop(key)),
    create: [...replaced.map(({ key }) => key), ...keysOnlyIn(to.attributes, from.attributes)].map(make),
    update: changed
      .filter((one) => !isReplaced(one))
      .map(({ key, set: wanted }): Step => ({ do: 'updateAttribute', collection, attribute: key, set: wanted })),
    createIndexes: sorted(to.indexes)
      .filter((key) => !kept.has(key))
      .map((index) => makeIndex(collection, to, index)),
    settings: Object.keys(set).length > 0 ? [{ do: 'updateCollection', collection, set } satisfies Step] : [],
    remove: deleted.map(drop),
  }
}

/** A new collection begins with what needs no other one. */
function creation(collection: string, { settings, attributes, indexes }: CollectionShape) {
  const isRelation = (key: string) => attributes[key]?.type === 'RELATION'
  const relations = Object.keys(attributes).filter(isRelation)
  const { rules, ...first } = settings
  const later = sorted(indexes).filter((key) => (shapeAt(indexes, key).attributes as string[]).some(isRelation))
  const without = <T>(all: Readonly<Record<string, T>>, names: readonly string[]) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)))
  const create: Step = {
    do: 'createCollection',
    collection,
    settings: first,
    attributes: without(attributes, relations),
    indexes: without(indexes, later),
  }
  const ruling: Step[] = rules === undefined ? [] : [{ do: 'updateCollection', collection, set: { rules } }]
  return {
    create,
    relations: relations.map(
      (attribute): Step => ({ do: 'createAttribute', collection, attribute, shape: shapeAt(attributes, attribute) }),
    ),
    indexes: [...later.map((index) => makeIndex(collection, { settings, attributes, indexes }, index)), ...ruling],
  }
}

function makeIndex(collection: string, { indexes }: CollectionShape, index: string): Step {
  return { do: 'createIndex', collection, index, shape: shapeAt(indexes, index) }
}

function createDatabase({ databases }: SchemaShape, database: string): Step {
  const name = databases[database]?.name
  return { do: 'createDatabase', database, ...(typeof name === 'string' ? { name } : {}) }
}

function namings(from: SchemaShape, to: SchemaShape): Step[] {
  const nameOf = ({ databases }: SchemaShape, database: string) => String(databases[database]?.name ?? database)
  return sorted(to.databases)
    .filter((database) => database in from.databases && nameOf(from, database) !== nameOf(to, database))
    .map((database) => ({ do: 'updateDatabase', database, name: nameOf(to, database) }))
}

/** A collection goes once nothing points at it: what goes after it lets go of it first. */
function deletions({ collections }: SchemaShape, gone: readonly string[]): Step[] {
  return gone.flatMap((path, i) => {
    const pointing = gone.slice(i + 1).flatMap((other) => {
      const { database } = splitPath(other)
      const relations = Object.entries(collections[other]?.attributes ?? {})
      const here = relations.filter(([, { to }]) => to === path || `${database}.${to}` === path)
      return here.map(([attribute]): Step => ({ do: 'deleteAttribute', collection: other, attribute }))
    })
    return [...pointing, { do: 'deleteCollection', collection: path } satisfies Step]
  })
}

function relationsLast(steps: readonly Step[]): Step[] {
  const isRelation = (step: Step) => step.do === 'createAttribute' && step.shape.type === 'RELATION'
  return [...steps.filter((step) => !isRelation(step)), ...steps.filter(isRelation)]
}

function sorted(record: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(record).sort()
}

function keysOnlyIn(record: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(record).filter((key) => !(key in other))
}

function collectionAt(schema: SchemaShape, path: string): CollectionShape {
  return schema.collections[path] ?? { settings: {}, attributes: {}, indexes: {} }
}

function shapeAt(shapes: Readonly<Record<string, Shape>>, key: string): Shape {
  return shapes[key] ?? {}
}
