import type { CollectionModel, Neighbour } from './model.ts'

/**
 * A field of an input that writes more than its own document: it makes the one that is pointed at, or says which other
 * documents are at the other end.
 */
export type NestedField = { kind: 'new' | 'one' | 'many'; neighbour: Neighbour }

const known = new WeakMap<CollectionModel, ReadonlyMap<string, NestedField>>()

/** By the names of the input's fields. What is called like one of them keeps its name. */
export function nestedFields(collection: CollectionModel): ReadonlyMap<string, NestedField> {
  const fields = known.get(collection) ?? readFields(collection)
  known.set(collection, fields)
  return fields
}

function readFields({ columns, neighbours }: CollectionModel): Map<string, NestedField> {
  const fields = new Map<string, NestedField>()
  for (const [key, neighbour] of neighbours) {
    if (neighbour.many) fields.set(key, { kind: 'many', neighbour })
    else {
      if (neighbour.join.kind === 'from') fields.set(key, { kind: 'one', neighbour })
      const name = newKey(key)
      const isTaken = columns.has(name) || neighbours.has(name) || fields.has(name)
      if (!isTaken) fields.set(name, { kind: 'new', neighbour })
    }
  }
  return fields
}

/** Thrown where one statement is to write inputs that need several. */
export class NeedsMore extends Error {}

/** `newAuthor` of `author`. */
export function newKey(key: string): string {
  return `new${key.charAt(0).toUpperCase()}${key.slice(1)}`
}

export function isNested(collection: CollectionModel, input: object): boolean {
  const fields = nestedFields(collection)
  return fields.size > 0 && Object.keys(input).some((key) => fields.has(key))
}

/** The relation of `collection` that `neighbour`, of the other collection, is the other end of. */
export function backKey({ neighbours }: CollectionModel, { attributeId }: Neighbour): Neighbour {
  const own = [...neighbours.values()].find((one) => one.attributeId === attributeId && one.join.kind === 'to')
  if (!own) throw new Error(`The relation ${attributeId} has one end only.`)
  return own
}
