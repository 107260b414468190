/** Who has which name of a schema, and who takes it over: of two that follow each other, the old one has to go first. */
import { type CollectionShape, fullPath, type SchemaShape, type Shape, splitPath } from './shape.ts'
import type { StepOf } from './steps.ts'

/** The field at the other end of a relation of `path`, like `main.authors.posts`; null for none. */
export function wayBack(path: string, { to, reverseKey }: Shape): string | null {
  return typeof to === 'string' && typeof reverseKey === 'string' ? `${fullPath(path, to)}.${reverseKey}` : null
}

/** All fields that attributes make, on both sides of a relation. */
export function fieldNames({ collections }: SchemaShape): ReadonlySet<string | null> {
  const attributes = Object.entries(collections).flatMap(([path, shape]) =>
    Object.entries(shape.attributes).flatMap(([key, attribute]) => [`${path}.${key}`, wayBack(path, attribute)]),
  )
  return new Set(attributes.filter((name) => name !== null))
}

/** Whether a collection that is to go has a name that another one takes: of its type, that of its key, or at the other end of a relation. */
export function isFollowed(path: string, there: CollectionShape, to: SchemaShape, created: readonly string[]): boolean {
  const { typeName } = there.settings
  const names = fieldNames(to)
  const typeNames = Object.values(to.collections).map(({ settings }) => settings.typeName)
  return (
    created.some((other) => splitPath(other).key === splitPath(path).key) ||
    (typeName !== undefined && typeNames.includes(typeName)) ||
    Object.values(there.attributes).some((attribute) => names.has(wayBack(path, attribute)))
  )
}

type Change = StepOf<'updateAttribute'>
export type Renaming = StepOf<'renameCollection' | 'renameAttribute'>

/**
 * Has relations let go of the names at their other end that attributes are to be renamed to, which is done before all else. Those
 * that stay get another one afterwards.
 */
export function makeRoom(from: SchemaShape, to: SchemaShape, renaming: readonly Renaming[]): Change[] {
  const kept = new Set(relationsOf(to).map(({ name }) => name))
  const wanted = renaming.flatMap((step) => {
    if (step.do === 'renameCollection' || kept.has(`${step.collection}.${step.to}`)) return []
    const moved = renaming.find((one) => one.do === 'renameCollection' && one.to === step.collection)
    return [`${(moved ?? step).collection}.${step.to}`]
  })
  return relationsOf(from)
    .filter(({ name }) => wanted.includes(name))
    .map(({ collection, attribute }) => {
      return { do: 'updateAttribute', collection, attribute, set: { reverseKey: null } }
    })
}

/** The relations that have a field at their other end, with its name. */
function relationsOf({ collections }: SchemaShape) {
  return Object.entries(collections).flatMap(([collection, { attributes }]) =>
    Object.entries(attributes).flatMap(([attribute, shape]) => {
      const name = wayBack(collection, shape)
      return name === null ? [] : [{ collection, attribute, name }]
    }),
  )
}

/** Changes of relations whose field at the other end gets another name, or none, in an order in which each name is free. */
export function inTurn({ collections }: SchemaShape, steps: readonly Change[]): Change[] {
  const nameOf = ({ collection, attribute }: Change, set: Shape = {}) =>
    wayBack(collection, { ...collections[collection]?.attributes[attribute], ...set })
  const held = new Map(steps.map((step) => [step, nameOf(step)]))
  const stands = (one: Change, inTheWayOf: Change) => {
    const name = held.get(one) ?? null
    return name !== null && one !== inTheWayOf && name === nameOf(inTheWayOf, inTheWayOf.set)
  }
  const ordered: Change[] = []
  for (let left = [...steps]; left.length > 0; ) {
    const next = left.find((step) => !left.some((one) => stands(one, step)))
    left = left.filter((one) => one !== next)
    if (next) ordered.push(next)
    else {
      // In a circle, one of them lets go of its name first.
      const first = left.find((one) => left.some((step) => stands(one, step)))
      if (!first) return [...ordered, ...left]
      held.set(first, null)
      ordered.push({ ...first, set: { reverseKey: null } })
    }
  }
  return ordered
}
