import type { CollectionModel, ProjectModel, Relation, Reverse } from '../../src/documents/model.ts'
import { type CallerClass, rightsOfClass } from '../../src/documents/permissions.ts'
import type { Right } from '../../src/modules/permissions/roles.ts'

/** A collection as one class of callers is shown it. */
export type VisibleCollection = {
  collection: CollectionModel
  rights: ReadonlySet<Right>
  /** Relations whose other end can be read. */
  relations: readonly Relation[]
  reverses: readonly (Reverse & { key: string })[]
  /** Relations that can be set. */
  settable: readonly Relation[]
  /** All that its types are made of: equal text, equal types. */
  shape: string
}

/** What of a project's schema a class of callers is shown, by collection id. The rest is in no byte of their schema. */
export function visibleCollections(model: ProjectModel, caller: CallerClass): ReadonlyMap<string, VisibleCollection> {
  const rights = new Map<string, ReadonlySet<Right>>()
  for (const collection of model.collections.values()) {
    const held = rightsOfClass(collection, caller)
    if (held.size > 0) rights.set(collection.id, held)
  }
  return new Map(
    [...rights].flatMap(([id, held]) => {
      const collection = model.collections.get(id)
      return collection ? [[id, visible(collection, held, rights)] as const] : []
    }),
  )
}

function visible(
  collection: CollectionModel,
  held: ReadonlySet<Right>,
  rights: ReadonlyMap<string, ReadonlySet<Right>>,
): VisibleCollection {
  const settable = [...collection.relations.values()].filter(({ collectionId }) => rights.has(collectionId))
  const relations = settable.filter(({ collectionId }) => rights.get(collectionId)?.has('read'))
  const reverses = collection.reverses.flatMap((reverse) => {
    return reverse.key !== null && rights.get(reverse.collectionId)?.has('read')
      ? [{ ...reverse, key: reverse.key }]
      : []
  })
  const { id, key, typeName, names, columns, documentPermissions } = collection
  const shape = JSON.stringify([
    id,
    key,
    typeName,
    names.one,
    names.many,
    documentPermissions,
    [...held].sort(),
    [...columns.values()],
    settable,
    relations,
    reverses,
  ])
  return { collection, rights: held, relations, reverses, settable, shape }
}

/**
 * Collections that are joined by relations, each group with the shape of all its members: a type refers to its
 * neighbours' types, so they are kept, or made anew, together.
 */
export function groupsOf(
  visible: ReadonlyMap<string, VisibleCollection>,
): { members: VisibleCollection[]; shape: string }[] {
  const neighbours = new Map<string, Set<string>>([...visible.keys()].map((id) => [id, new Set()]))
  for (const { collection, relations, settable, reverses } of visible.values()) {
    for (const { collectionId } of [...relations, ...settable, ...reverses]) {
      neighbours.get(collection.id)?.add(collectionId)
      neighbours.get(collectionId)?.add(collection.id)
    }
  }
  const seen = new Set<string>()
  return [...visible.keys()].flatMap((id) => {
    if (seen.has(id)) return []
    const members = reach(id, neighbours, seen).flatMap((one) => visible.get(one) ?? [])
    return [{ members, shape: members.map(({ shape }) => shape).join('\n') }]
  })
}

function reach(start: string, neighbours: ReadonlyMap<string, ReadonlySet<string>>, seen: Set<string>): string[] {
  const reached = [start]
  seen.add(start)
  for (const id of reached) {
    for (const next of neighbours.get(id) ?? []) {
      if (seen.has(next)) continue
      seen.add(next)
      reached.push(next)
    }
  }
  return reached
}
