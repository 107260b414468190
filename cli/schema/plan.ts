import { changesOf, keysOnlyIn, makeIndex, relationsLast, shapeAt, sorted, split } from './changes.ts'
import { areAbout, renameInExpression, renameInWhere } from './mentions.ts'
import { fieldNames, inTurn, isFollowed, makeRoom, type Renaming, wayBack } from './names.ts'
import { type CollectionShape, fullPath, type Renames, type SchemaShape, type Shape, splitPath } from './shape.ts'
import type { Step, StepOf } from './steps.ts'

/** What makes `to` of `from`, in an order in which each step can be done. Renames that have been made already count for nothing. */
export function planSteps(from: SchemaShape, to: SchemaShape, renames: Renames = {}): Step[] {
  const renaming = renameSteps(from, to, renames)
  const room = makeRoom(from, to, renaming)
  const base = applyRenames(withRoom(from, room), renaming)
  const created = keysOnlyIn(to.collections, base.collections)
  const gone = keysOnlyIn(base.collections, to.collections)
  const makesWay = gone.some((path) => isFollowed(path, collectionAt(base, path), to, created))
  const names = fieldNames(to)
  const parts = Object.keys(to.collections)
    .filter((path) => path in base.collections)
    .map((path) =>
      changesOf(path, collectionAt(base, path), collectionAt(to, path), (key, attribute) => {
        const pointsAt = typeof attribute.to === 'string' ? fullPath(path, attribute.to) : ''
        const isTaken = names.has(`${path}.${key}`) || names.has(wayBack(path, attribute))
        return isTaken || (makesWay && gone.includes(pointsAt))
      }),
    )
  const creations = created.map((path) => creation(path, collectionAt(to, path)))
  const create = creations.map((one) => one.create)
  const [turning, updates] = split(
    parts.flatMap(({ update }) => update),
    ({ set }) => 'reverseKey' in set,
  )
  return [
    ...room,
    ...renaming,
    ...parts.flatMap(({ dropIndexes }) => dropIndexes),
    ...keysOnlyIn(to.databases, base.databases).map((database): Step => createDatabase(to, database)),
    ...namings(base, to),
    // What destroys nothing is done first, where it can be.
    ...(makesWay ? [] : create),
    ...parts.flatMap(({ rest }) => rest),
    ...parts.flatMap(({ replace }) => replace),
    ...(makesWay ? [...deletions(base, gone), ...create] : []),
    ...inTurn(base, turning),
    ...relationsLast([...parts.flatMap((part) => part.create), ...creations.flatMap(({ relations }) => relations)]),
    ...updates,
    ...parts.flatMap(({ compute }) => compute),
    ...[...parts.flatMap(({ createIndexes }) => createIndexes), ...creations.flatMap(({ indexes }) => indexes)],
    ...parts.flatMap(({ settings }) => settings),
    ...parts.flatMap(({ remove }) => remove),
    ...(makesWay ? [] : deletions(base, gone)),
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

function renameSteps(from: SchemaShape, to: SchemaShape, renames: Renames): Renaming[] {
  const entries = Object.entries(renames)
  const ofCollections = entries.filter(([name]) => name.split('.').length === 2)
  const steps: Renaming[] = dueRenames(ofCollections, from.collections, to.collections).map(([collection, path]) => {
    return { do: 'renameCollection', collection, to: path }
  })
  const ofAttributes = entries.filter(([name]) => name.split('.').length === 3)
  for (const [path, ones] of Map.groupBy(ofAttributes, ([, name]) => splitAttribute(name)[0] ?? '')) {
    const source = steps.find((one) => one.do === 'renameCollection' && one.to === path)?.collection ?? path
    const keys = ones.map(([old, name]): Rename => [splitAttribute(old)[1] ?? '', splitAttribute(name)[1] ?? ''])
    const due = dueRenames(keys, collectionAt(from, source).attributes, collectionAt(to, path).attributes)
    const step = ([attribute, key]: Rename): Renaming => ({
      do: 'renameAttribute',
      collection: path,
      attribute,
      to: key,
    })
    steps.push(...due.map(step))
  }
  return steps
}

type Rename = readonly [old: string, name: string]

/** Those that are still to be made, in an order in which each name is free. One that another follows may take its name. */
function dueRenames(wanted: readonly Rename[], from: object, to: object): Rename[] {
  const now = new Set(Object.keys(from))
  const isFollowed = (old: string) => wanted.some(([other, name]) => name === old && Object.hasOwn(from, other))
  const due: Rename[] = []
  const isDue = (one: Rename) => {
    const [old, name] = one
    const isFree = now.has(old) && !now.has(name) && Object.hasOwn(to, name)
    return isFree && (!Object.hasOwn(to, old) || isFollowed(old)) && !due.includes(one)
  }
  for (let next = wanted.find(isDue); next; next = wanted.find(isDue)) {
    now.delete(next[0])
    now.add(next[1])
    due.push(next)
  }
  return due
}

function splitAttribute(path: string): string[] {
  const at = path.lastIndexOf('.')
  return [path.slice(0, at), path.slice(at + 1)]
}

/** The schema where these relations have no field at their other end. */
function withRoom(from: SchemaShape, room: readonly StepOf<'updateAttribute'>[]): SchemaShape {
  const collections = Object.entries(from.collections).map(([path, shape]): [string, CollectionShape] => {
    const attributes = Object.entries(shape.attributes).map(([key, attribute]): [string, Shape] => {
      const isFreed = room.some((step) => step.collection === path && step.attribute === key)
      const { reverseKey: _, ...oneWay } = attribute
      return [key, isFreed ? oneWay : attribute]
    })
    return [path, { ...shape, attributes: Object.fromEntries(attributes) }]
  })
  return { ...from, collections: Object.fromEntries(collections) }
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
      const full = fullPath(old, to)
      const now = collectionOf(full)
      return now === full ? to : now.startsWith(`${database}.`) ? splitPath(now).key : now
    }
    const attributes = Object.entries(shape.attributes).map(([name, attribute]): [string, Shape] => [
      keyOf(name),
      {
        ...attribute,
        ...(typeof attribute.to === 'string' ? { to: target(attribute.to) } : {}),
        ...(typeof attribute.computed === 'string' ? { computed: renameInExpression(attribute.computed, keyOf) } : {}),
      },
    ])
    const indexes = Object.entries(shape.indexes).map(([name, index]): [string, Shape] => [
      name,
      { ...index, attributes: (index.attributes as string[]).map(keyOf) },
    ])
    // Its name was its key until now, and stays.
    const settings = {
      ...shape.settings,
      ...(path === old || shape.settings.name ? {} : { name: key }),
      ...(shape.settings.rules ? { rules: rulesWith(shape.settings.rules, keyOf) } : {}),
    }
    return [path, { settings, attributes: Object.fromEntries(attributes), indexes: Object.fromEntries(indexes) }]
  })
  return { ...from, collections: Object.fromEntries(collections) }
}

function rulesWith(rules: unknown, rename: (key: string) => string): unknown {
  return (rules as { where: unknown }[]).map((rule) => ({ ...rule, where: renameInWhere(rule.where, rename) }))
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

/** A collection goes once nothing points at it: in a circle, one of them lets go first. */
function deletions({ collections }: SchemaShape, gone: readonly string[]): Step[] {
  const left = [...gone]
  const relationsTo = (path: string, other: string) =>
    Object.entries(collections[other]?.attributes ?? {}).flatMap(([key, { to }]) =>
      other !== path && (to === path || `${splitPath(other).database}.${to}` === path) ? [key] : [],
    )
  const isFree = (path: string) => left.every((other) => relationsTo(path, other).length === 0)
  return gone.flatMap(() => {
    const path = left.find(isFree) ?? left[0] ?? ''
    left.splice(left.indexOf(path), 1)
    const releases = left.flatMap((other) => release(other, collections[other], relationsTo(path, other)))
    return [...releases, { do: 'deleteCollection', collection: path } satisfies Step]
  })
}

/** Attributes are deleted once no index and no rule uses them. */
function release(collection: string, shape: CollectionShape | undefined, keys: readonly string[]): Step[] {
  const indexes = Object.entries(shape?.indexes ?? {}).filter(([, { attributes }]) =>
    (attributes as string[]).some((key) => keys.includes(key)),
  )
  const isRuled = areAbout(shape?.settings.rules, new Set(keys))
  return [
    ...indexes.map(([index]): Step => ({ do: 'deleteIndex', collection, index })),
    ...(isRuled ? [{ do: 'updateCollection', collection, set: { rules: [] } } satisfies Step] : []),
    ...keys.map((attribute): Step => ({ do: 'deleteAttribute', collection, attribute })),
  ]
}

function collectionAt(schema: SchemaShape, path: string): CollectionShape {
  return schema.collections[path] ?? { settings: {}, attributes: {}, indexes: {} }
}
