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

/** What of a project's schema a class of callers is shown. The rest is in no byte of their schema. */
export type Visible = {
  /** Undefined where it is not shown. */
  get: (collectionId: string) => VisibleCollection | undefined
  all: () => Iterable<VisibleCollection>
}

/** Each is looked at when it is asked for: of a large project few are, before it changes again. */
export function visibleCollections({ collections }: ProjectModel, caller: CallerClass): Visible {
  const rightsOn = rightsOfClass(caller)
  const made = new Map<string, VisibleCollection | undefined>()
  const find = (collectionId: string) => {
    const collection = collections.get(collectionId)
    const rights = collection && rightsOn(collection)
    return rights && rights.size > 0 ? visible(collection, rights, get, caller) : undefined
  }
  const get = (collectionId: string) => {
    if (!made.has(collectionId)) made.set(collectionId, find(collectionId))
    return made.get(collectionId)
  }
  const all = function* () {
    for (const id of collections.keys()) {
      const one = get(id)
      if (one) yield one
    }
  }
  return { get, all }
}

function visible(
  collection: CollectionModel,
  rights: ReadonlySet<Right>,
  get: Visible['get'],
  caller: CallerClass,
): VisibleCollection {
  const columns = () => [...collection.columns.values()]
  const known = () => [...collection.neighbours.values()].filter(({ collectionId }) => get(collectionId) !== undefined)
  return {
    collection,
    rights,
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
        ({ collectionId, rights: own }) => get(collectionId)?.rights.has('read') && mayClassUse(own, 'read', caller),
      )
    },
    get settable() {
      return known().filter(({ rights: own }) => mayClassUse(own, 'update', caller))
    },
  }
}
