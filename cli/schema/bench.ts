import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Failure } from '../failure.ts'
import type { Remote, RemoteCollection, Status } from './remote.ts'
import { type CollectionShape, fullPath, type Shape } from './shape.ts'

export type Part = { id: string; status: Status; error: string | null }

/** What steps are done with: the collections as the server has them, and the ways to change them. */
export type Bench = {
  remote: Remote
  /** By path. */
  collections: ReadonlyMap<string, RemoteCollection>
  find: (path: string) => RemoteCollection
  shapeOf: (collection: RemoteCollection) => CollectionShape
  create: (field: string, input: object) => Promise<string>
  delete: (field: string, id: string) => Promise<void>
  /** Waits until nothing of the collection is being made or deleted, and tells how it is then: null once it is gone. */
  settle: (id: string) => Promise<RemoteCollection | null>
  /** `given` as the input `name` takes it, beside `id`. */
  inputOf: (name: string, path: string, given: Shape, id: object) => object
}

const busy = new Set<Status | undefined>(['PROCESSING', 'CHANGING', 'DELETING'])

/** `onWait` is called now and then while the server works. */
export async function openBench(remote: Remote, onWait: () => Promise<void>): Promise<Bench> {
  const { api, offers } = remote
  const collections = new Map(await remote.collections())
  const requireOffered = (field: string) => {
    if (offers.mutation.has(field)) return
    const reason = offers.mutation.has('createCollection')
      ? 'This server has no'
      : 'The scope databases.write is needed for'
    throw new Failure(`${reason} ${field}.`)
  }
  const find = (path: string) => {
    const found = collections.get(path)
    if (!found) throw new Failure(`There is no collection ${path}.`)
    return found
  }
  const remember = (id: string, collection: RemoteCollection | null) => {
    for (const [path, one] of collections) if (one.id === id) collections.delete(path)
    if (collection) collections.set(collection.path, collection)
  }
  return {
    remote,
    collections,
    find,
    shapeOf: (collection) =>
      remote.shapeOf(collection, (id) => [...collections.values()].find((one) => one.id === id)?.path),
    create: async (field, input) => {
      requireOffered(field)
      const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`
      const query = `mutation ($input: ${type}) { made: ${field}(input: $input) { id } }`
      return (await api.request<{ made: { id: string } }>(query, { input })).made.id
    },
    delete: async (field, id) => {
      requireOffered(field)
      await api.request(`mutation ($id: ID!) { ${field}(id: $id) }`, { id })
    },
    settle: async (id) => {
      for (let ms = 50; ; ms = Math.min(ms * 1.5, 1_000)) {
        const collection = await remote.collection(id)
        if (!isBusy(collection)) {
          remember(id, collection)
          return collection
        }
        await onWait()
        await sleep(ms)
      }
    },
    inputOf: (name, path, given, id) => {
      const known = offers.inputs.get(name)
      const unknown = Object.keys(given).find((property) => property !== 'to' && !known?.has(property))
      if (unknown !== undefined) throw new Failure(`This server does not know “${unknown}” (${name}).`)
      const { to, permissions, rules, ...rest } = given
      return {
        ...id,
        ...rest,
        // Only an enum has elements, were it none.
        ...(isEmpty(given.elements) ? { elements: null } : {}),
        ...(typeof to === 'string' ? { relatedCollectionId: find(fullPath(path, to)).id } : {}),
        ...(permissions === undefined ? {} : { permissions: grants(permissions) }),
        ...(rules === undefined ? {} : { rules: upperRights(rules) }),
      }
    },
  }
}

function isBusy(collection: RemoteCollection | null): boolean {
  if (!collection) return false
  const parts = [collection, ...collection.attributes.values(), ...collection.indexes.values()]
  return parts.some(({ status }) => busy.has(status))
}

function grants(permissions: unknown): { right: string; role: string }[] | null {
  if (!Array.isArray(permissions)) return null
  return permissions.map((text: string) => {
    const at = text.indexOf(':')
    return { right: text.slice(0, at).toUpperCase(), role: text.slice(at + 1) }
  })
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0
}

function upperRights(rules: unknown): unknown {
  return (rules as { right: string }[]).map((rule) => ({ ...rule, right: rule.right.toUpperCase() }))
}

/** Throws Failure with the server's reason for what could not be made, or not be changed. */
export function requireMade(part: Part | null | undefined): void {
  if (!part) throw new Failure('It was deleted by somebody else.')
  if (part.status === 'FAILED' || part.error) throw new Failure(part.error ?? 'The server could not make it.')
}

/** A step whose outcome is there already counts as done, and one in whose place there is something else as failed. */
export function requireSame(path: string, there: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(there, wanted)) throw new Failure(`There is another ${path} already.`)
}
