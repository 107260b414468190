import type { Api } from '../api.ts'
import { type Fields, type Offers, readOffers } from './offers.ts'
import {
  attributeProperties,
  attributeShape,
  type CollectionShape,
  indexProperties,
  indexShape,
  type SchemaShape,
  type Shape,
  settingProperties,
  settingShape,
  splitPath,
} from './shape.ts'

export type Status = 'PROCESSING' | 'AVAILABLE' | 'CHANGING' | 'FAILED' | 'DELETING'
type Part = Shape & { id: string; key: string; status: Status; error: string | null }
type Listed = Part & { relatedCollection?: { id: string } | null; permissions?: Granted[] | null }
type Granted = { right: string; role: string }
type Page<Node> = { nodes: Node[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
type Found = Part & {
  typeName: string
  database: { id: string; key: string }
  permissions: Granted[]
  rules?: (Granted & { where: unknown })[]
  attributes: Page<Listed>
  indexes: Page<Part>
}

export type RemoteCollection = {
  id: string
  path: string
  typeName: string
  status: Status
  error: string | null
  attributes: ReadonlyMap<string, Listed>
  indexes: ReadonlyMap<string, Part>
}

/** The schema of a project as the server has it, read again when it is asked for. */
export type Remote = {
  api: Api
  offers: Offers
  /** Ids by key. */
  databases: () => Promise<ReadonlyMap<string, { id: string; name: string }>>
  /** By path. */
  collections: () => Promise<ReadonlyMap<string, RemoteCollection>>
  /** One by its id, null once it is gone. */
  collection: (id: string) => Promise<RemoteCollection | null>
  /** All that is there and right: what has failed or is being deleted is left out. */
  shape: () => Promise<SchemaShape>
  /** One collection in the form in which it is compared. `pathOf` names the collections that it points at. */
  shapeOf: (collection: RemoteCollection, pathOf: (id: string) => string | undefined) => CollectionShape
}

export async function openRemote(api: Api): Promise<Remote> {
  const offers = await readOffers(api)
  const fields = collectionFields(offers)
  const rest = async (found: Found): Promise<RemoteCollection | null> => {
    let page = found.attributes
    while (page.pageInfo.hasNextPage) {
      const { collection } = await api.request<{ collection: Found | null }>(moreAttributes(offers), {
        id: found.id,
        after: page.pageInfo.endCursor,
      })
      // It has gone in the meantime.
      if (!collection) return null
      page = collection.attributes
      found.attributes.nodes.push(...page.nodes)
    }
    return remoteOf(found)
  }
  const remote: Remote = {
    api,
    offers,
    databases: async () => {
      type Database = { id: string; key: string; name: string }
      const { databases } = await api.request<{ databases: { nodes: Database[] } }>(
        '{ databases(first: 100) { nodes { id key name } } }',
      )
      return new Map(databases.nodes.map((database) => [database.key, database]))
    },
    collections: async () => {
      const all = new Map<string, RemoteCollection>()
      const query = `query ($after: String) { collections(first: 10, after: $after) { ${pageInfo} nodes { ${fields} } } }`
      for (let after: string | null = null; ; ) {
        const { collections }: { collections: Page<Found> } = await api.request(query, { after })
        for (const found of collections.nodes) {
          const collection = await rest(found)
          if (collection) all.set(collection.path, collection)
        }
        if (!collections.pageInfo.hasNextPage) return all
        after = collections.pageInfo.endCursor
      }
    },
    collection: async (id) => {
      const query = `query ($id: ID!) { collection(id: $id) { ${fields} } }`
      const { collection } = await api.request<{ collection: Found | null }>(query, { id })
      return collection && rest(collection)
    },
    shape: async () => shapeOfAll(remote),
    shapeOf: (collection, pathOf) => shapeOfOne(collection, pathOf),
  }
  return remote
}

async function shapeOfAll(remote: Remote): Promise<SchemaShape> {
  const databases = await remote.databases()
  const collections = await remote.collections()
  const paths = new Map([...collections.values()].map(({ id, path }) => [id, path]))
  const there = [...collections.values()].filter(isThere)
  return {
    databases: Object.fromEntries(
      [...databases].map(([key, { name }]) => [key, name === key ? ({} as Shape) : ({ name } as Shape)]),
    ),
    collections: Object.fromEntries(
      there.map((collection) => [collection.path, shapeOfOne(collection, (id) => paths.get(id))]),
    ),
  }
}

function shapeOfOne(collection: RemoteCollection, pathOf: (id: string) => string | undefined): CollectionShape {
  const { path } = collection
  const { database, key } = splitPath(path)
  const shorten = (to: string | undefined) => (to?.startsWith(`${database}.`) ? splitPath(to).key : to)
  const attributes = [...collection.attributes.values()].filter(isThere).map((attribute): [string, Shape] => {
    const to = attribute.relatedCollection ? shorten(pathOf(attribute.relatedCollection.id)) : undefined
    return [attribute.key, attributeShape({ ...attribute, to, permissions: textsOf(attribute.permissions) })]
  })
  const indexes = [...collection.indexes.values()].filter(isThere).map((index): [string, Shape] => {
    return [index.key, indexShape(index)]
  })
  return {
    settings: settingShape(key, collection as unknown as Shape),
    attributes: Object.fromEntries(attributes),
    indexes: Object.fromEntries(indexes),
  }
}

/** Whether it can be built upon. */
export function isThere({ status }: { status: Status }): boolean {
  return status !== 'FAILED' && status !== 'DELETING'
}

function remoteOf(found: Found): RemoteCollection {
  return {
    ...found,
    path: `${found.database.key}.${found.key}`,
    permissions: textsOf(found.permissions),
    rules: found.rules?.map((rule) => ({ ...rule, right: rule.right.toLowerCase() })),
    attributes: new Map(found.attributes.nodes.map((attribute) => [attribute.key, attribute])),
    indexes: new Map(found.indexes.nodes.map((index) => [index.key, index])),
  } as RemoteCollection
}

function textsOf(permissions: Granted[] | null | undefined): string[] | null {
  return permissions ? permissions.map(({ right, role }) => `${right.toLowerCase()}:${role}`) : null
}

const pageInfo = 'pageInfo { hasNextPage endCursor }'
/** What is wrong with it was called `statusReason` up to 0.3.0. */
const ownFields = (type: Fields) => `id key status ${type.has('error') ? 'error' : 'error: statusReason'}`

function attributeFields({ attribute }: Offers): string {
  const scalars = attributeProperties.filter((name) => attribute.has(name) && name !== 'permissions')
  const permissions = attribute.has('permissions') ? 'permissions { right role }' : ''
  return `${ownFields(attribute)} ${scalars.join(' ')} relatedCollection { id } ${permissions}`
}

function moreAttributes(offers: Offers): string {
  const page = `attributes(first: 100, after: $after) { ${pageInfo} nodes { ${attributeFields(offers)} } }`
  return `query ($id: ID!, $after: String) { collection(id: $id) { ${page} } }`
}

function collectionFields(offers: Offers): string {
  const { collection, index } = offers
  const settings = settingProperties.filter(
    (name) => collection.has(name) && name !== 'permissions' && name !== 'rules',
  )
  const rules = collection.has('rules') ? 'rules { right role where }' : ''
  const indexFields = indexProperties.filter((name) => index.has(name))
  return `${ownFields(collection)} ${settings.join(' ')} ${rules} database { id key } permissions { right role }
    attributes(first: 100) { ${pageInfo} nodes { ${attributeFields(offers)} } }
    indexes(first: 100) { ${pageInfo} nodes { ${ownFields(index)} ${indexFields.join(' ')} } }`
}
