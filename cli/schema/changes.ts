import { isDeepStrictEqual } from 'node:util'
import { areAbout, isComputedOf } from './mentions.ts'
import { type CollectionShape, differences, type Shape } from './shape.ts'
import type { Step, StepOf } from './steps.ts'

/** An attribute that has another one of these is another attribute: its values cannot be kept. */
const fixed = ['to', 'relation', 'encrypted', 'computed', 'dimensions']

type Changed = { key: string; from: Shape; to: Shape; set: Shape }

/**
 * What makes one collection the other, in parts. What is computed goes before what it is computed of goes or becomes of another
 * type, and is made once all of that is there; a rule that looks at such an attribute rests meanwhile. What `isInTheWay` of others goes
 * first: of two that follow each other, the old one.
 */
export function changesOf(
  collection: string,
  from: CollectionShape,
  to: CollectionShape,
  isInTheWay: (key: string, attribute: Shape) => boolean,
) {
  const { updated, replaced, retyped } = sortChanged(from, to)
  const deleted = keysOnlyIn(from.attributes, to.attributes)
  const [first, last] = split(deleted, (key) => {
    const attribute = shapeAt(from.attributes, key)
    return attribute.computed !== undefined || isInTheWay(key, attribute)
  })
  const gone = new Set([...deleted, ...replaced])
  const [computed, plain] = split([...replaced, ...keysOnlyIn(to.attributes, from.attributes)], (key) =>
    isComputed(to, key),
  )
  const rests = areAbout(from.settings.rules, new Set([...first, ...retyped, ...replaced]))
  const { rules, ...unruled } = from.settings
  const drop = (attribute: string): Step => ({ do: 'deleteAttribute', collection, attribute })
  const make = (attribute: string): Step => {
    return { do: 'createAttribute', collection, attribute, shape: shapeAt(to.attributes, attribute) }
  }
  return {
    ...indexChanges(collection, from, to, gone),
    rest: rests ? [{ do: 'updateCollection', collection, set: { rules: [] } } satisfies Step] : [],
    // What is computed stands in the way of the others.
    replace: split([...replaced, ...first], (key) => isComputed(from, key))
      .flat()
      .map(drop),
    create: plain.map(make),
    update: updated.map(({ key, set }): StepOf<'updateAttribute'> => {
      return { do: 'updateAttribute', collection, attribute: key, set }
    }),
    compute: computed.map(make),
    settings: settingChanges(collection, rests ? unruled : from.settings, to.settings),
    remove: last.map(drop),
  }
}

/** Which attributes are changed, which are made anew, and whose type or list differs, by either. */
function sortChanged(from: CollectionShape, to: CollectionShape) {
  const both = Object.keys(to.attributes).filter((key) => key in from.attributes)
  const all = both.map((key): Changed => {
    const [old, wanted] = [shapeAt(from.attributes, key), shapeAt(to.attributes, key)]
    return { key, from: old, to: wanted, set: differences(old, wanted) }
  })
  const retyped = all.filter((one) => isOther(one) || 'type' in one.set || 'list' in one.set).map(({ key }) => key)
  const before = new Set([...retyped, ...keysOnlyIn(from.attributes, to.attributes)])
  const [replaced, kept] = split(all, (one) => isOther(one) || isComputedOf(one.from.computed, before))
  const updated = kept.filter(({ set }) => Object.keys(set).length > 0).sort((a, b) => rank(a) - rank(b))
  return { updated, retyped, replaced: replaced.map(({ key }) => key) }
}

function isOther({ from, to, set }: Changed): boolean {
  const isRetyped = 'type' in set || 'list' in set
  const keepsType = from.computed !== undefined || from.encrypted === true || [from.type, to.type].includes('RELATION')
  return fixed.some((name) => name in set) || (isRetyped && keepsType)
}

/** What is computed has permissions as long as what it is computed of. */
function rank({ to, set }: Changed): number {
  if (to.computed === undefined || !('permissions' in set)) return 1
  return set.permissions === null ? 2 : 0
}

function indexChanges(collection: string, from: CollectionShape, to: CollectionShape, gone: ReadonlySet<string>) {
  const stays = (key: string) => {
    const index = shapeAt(from.indexes, key)
    return isDeepStrictEqual(to.indexes[key], index) && !(index.attributes as string[]).some((name) => gone.has(name))
  }
  const kept = new Set(Object.keys(from.indexes).filter(stays))
  const others = ({ indexes }: CollectionShape) => sorted(indexes).filter((key) => !kept.has(key))
  return {
    dropIndexes: others(from).map((index): Step => ({ do: 'deleteIndex', collection, index })),
    createIndexes: others(to).map((index) => makeIndex(collection, to, index)),
  }
}

function settingChanges(collection: string, from: Shape, to: Shape): Step[] {
  const { typeName, ...settings } = differences(from, to)
  // Where nobody asked for a type name, it is as the server has made it.
  const asked = from.typeName !== undefined && to.typeName !== undefined
  const set = asked && typeName !== undefined ? { typeName, ...settings } : settings
  return Object.keys(set).length > 0 ? [{ do: 'updateCollection', collection, set }] : []
}

export function makeIndex(collection: string, { indexes }: CollectionShape, index: string): Step {
  return { do: 'createIndex', collection, index, shape: shapeAt(indexes, index) }
}

export function relationsLast(steps: readonly Step[]): Step[] {
  const isRelation = (step: Step) => step.do === 'createAttribute' && step.shape.type === 'RELATION'
  return [...steps.filter((step) => !isRelation(step)), ...steps.filter(isRelation)]
}

function isComputed({ attributes }: CollectionShape, key: string): boolean {
  return shapeAt(attributes, key).computed !== undefined
}

/** Those of which it is true, and the others. */
export function split<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))]
}

export function sorted(record: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(record).sort()
}

export function keysOnlyIn(
  record: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): string[] {
  return Object.keys(record).filter((key) => !(key in other))
}

export function shapeAt(shapes: Readonly<Record<string, Shape>>, key: string): Shape {
  return shapes[key] ?? {}
}
