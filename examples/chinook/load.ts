import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, headersOf, request } from '../client/request.ts'
import { graphql } from '../generated/gql.ts'
import { collections, permissions } from './collections.ts'
import { inputsOf, playlistLines, type Store } from './rows.ts'

const newDatabase = graphql(`mutation NewStore { createDatabase(input: { key: "store" }) { id } }`)
const newCollection = graphql(`
  mutation NewShelf($input: CreateCollectionInput!) { createCollection(input: $input) { id } }
`)
const newAttribute = graphql(`
  mutation NewLabel($input: CreateAttributeInput!) { createAttribute(input: $input) { id } }
`)

/** Makes the collections, and waits until the databases worker has: relations are attributes that come afterwards. */
export async function defineStore(to: Endpoint): Promise<void> {
  const databaseId = (await request(to, newDatabase)).createDatabase.id
  const ids = new Map<string, string>()
  for (const { key, attributes, indexes } of collections) {
    const own = attributes.filter((attribute) => attribute.to === undefined)
    const input = {
      databaseId,
      key,
      permissions,
      documentPermissions: false,
      attributes: own,
      ...(indexes && { indexes }),
    }
    const collectionId = (await request(to, newCollection, { input })).createCollection.id
    ids.set(key, collectionId)
    for (const { to: target, ...attribute } of attributes) {
      if (target === undefined) continue
      const relatedCollectionId = ids.get(target) ?? target
      await request(to, newAttribute, { input: { ...attribute, collectionId, relatedCollectionId } })
    }
  }
  await allAvailable(to)
}

const statuses = graphql(`
  query StatusOfStore {
    collections(first: 20) {
      nodes {
        key
        status
        error
        attributes(first: 50) { nodes { key status error } }
        indexes { nodes { key status error } }
      }
    }
  }
`)

async function allAvailable(to: Endpoint): Promise<void> {
  for (;;) {
    const { nodes } = (await request(to, statuses)).collections
    const parts = nodes.flatMap(({ attributes, indexes, ...collection }) => {
      return [collection, ...attributes.nodes, ...indexes.nodes]
    })
    for (const { key, status, error } of parts) assert.notEqual(status, 'FAILED', `${key}: ${error}`)
    if (parts.every(({ status }) => status === 'AVAILABLE')) return
    await sleep(20)
  }
}

const rowsAtATime = 2_000

/** Creates all documents, thousands at a time. */
export async function fillStore(to: Endpoint, store: Store): Promise<void> {
  for (const { key } of collections) {
    if (key === 'playlists') continue
    const name = key.charAt(0).toUpperCase() + key.slice(1)
    const query = `mutation ($inputs: [Create${name.slice(0, -1)}Input!]!) { create${name}(inputs: $inputs) { id } }`
    const rows = inputsOf(store, key)
    for (let i = 0; i < rows.length; i += rowsAtATime)
      await request(to, query, { inputs: rows.slice(i, i + rowsAtATime) })
  }
  await importPlaylists(to, store)
}

async function importPlaylists(to: Endpoint, store: Store): Promise<void> {
  const answer = await fetch(to.url.replace(/graphql$/, 'import/playlists?transaction=true'), {
    method: 'POST',
    headers: { ...headersOf(to), 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
    body: playlistLines(store),
  })
  const last = (await answer.text()).trim().split('\n').at(-1) ?? ''
  assert.equal(JSON.parse(last).done, true, last)
}
