import type { CollectionModel, Column, Neighbour, ProjectModel } from '../../src/documents/model.ts'
import { type CallerClass, mayClassUse, rightsOfClass } from '../../src/documents/permissions.ts'
import type { Right } from '../../src/modules/permissions/roles.ts'

/** A collection as one class of callers is shown it. */
export type VisibleCollection = {
  collection: CollectionModel
  rights: ReadonlySet<Right>
  caller: CallerClass
  /** What can be read of a document, and what can be set. */
  columns: readonly Column[]
  settableColumns: readonly Column[]
  /** Neighbours that can be read, and relations that can be set. */
  neighbours: readonly Neighbour[]
  settable: readonly Neighbour[]
}

/** What of a project's schema a class of callers is shown, by collection id. The rest is in no byte of their schema. */
export function visibleCollections(model: ProjectModel, caller: CallerClass): ReadonlyMap<string, VisibleCollection> {
  const rights = new Map<string, ReadonlySet<Right>>()
  const rightsOn = rightsOfClass(caller)
  for (const collection of model.collections.values()) {
    const held = rightsOn(collection)
    if (held.size > 0) rights.set(collection.id, held)
  }
  return new Map(
    [...rights].flatMap(([id, held]) => {
      const collection = model.collections.get(id)
      return collection ? [[id, visible(collection, held, rights, caller)] as const] : []
    }),
  )
}

function visible(
  collection: CollectionModel,
  held: ReadonlySet<Right>,
  rights: ReadonlyMap<string, ReadonlySet<Right>>,
  caller: CallerClass,
): VisibleCollection {
  const columns = () => [...collection.columns.values()]
  const known = () => [...collection.neighbours.values()].filter(({ collectionId }) => rights.has(collectionId))
  // Of a large project few collections are asked for before it changes again.
  return {
    collection,
    rights: held,
    caller,
    get columns() {
      return columns().filter((column) => mayClassUse(column.rights, 'read', caller))
    },
    get settableColumns() {
      return columns().filter(
        ({ attributeId, computed, rights: own }) =>
          attributeId !== null && !computed && mayClassUse(own, 'update', caller),
      )
    },
    get neighbours() {
      return known().filter(
        ({ collectionId, rights: own }) => rights.get(collectionId)?.has('read') && mayClassUse(own, 'read', caller),
      )
    },
    get settable() {
      return known().filter(({ rights: own }) => mayClassUse(own, 'update', caller))
    },
  }
}
