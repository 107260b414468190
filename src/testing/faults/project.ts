import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, request } from '../../../examples/client/request.ts'

/** Who writes and who listens, as the project knows them. */
export type Principal = { name: string; authorization: string; roles: readonly string[] | null }

export type Project = {
  id: string
  /** The tables of its two collections, quoted. */
  tables: { notes: string; counters: string }
  /** `key` reads everything; the users read what they are given. */
  principals: readonly Principal[]
  key: string
}

export const pathOf = (projectId: string) => `/projects/${projectId}/graphql`

/** Makes through the API of `url` what the load needs: a project, two collections, a key and two users. */
export async function makeProject(url: string): Promise<Project> {
  const visitor: Endpoint = { url: `${url}/graphql` }
  const account = '{ email: "owner@example.org", password: "correct horse", name: "Olga" }'
  const { signUp } = await request<{ signUp: { secret: string } }>(
    visitor,
    `mutation { signUp(input: ${account}) { secret } }`,
  )
  const owner = { ...visitor, authorization: `Bearer ${signUp.secret}` }
  const { createProject } = await request<{ createProject: { id: string } }>(
    owner,
    'mutation { createProject(input: { name: "Faults" }) { id } }',
  )
  const { id } = createProject
  const { keyScopes } = await request<{ keyScopes: { name: string }[] }>(owner, '{ keyScopes { name } }')
  const input = { projectId: id, name: 'load', scopes: keyScopes.map(({ name }) => name) }
  const made = await request<{ createKey: { secret: string } }>(
    owner,
    'mutation ($input: CreateKeyInput!) { createKey(input: $input) { secret } }',
    { input },
  )
  const key = `Bearer ${made.createKey.secret}`
  const server = { url: `${url}${pathOf(id)}`, authorization: key }
  const tables = await makeCollections(server, id)
  const users = await Promise.all(['ann', 'bob'].map((name) => makeUser({ url: server.url }, name)))
  return { id, tables, key, principals: [{ name: 'key', authorization: key, roles: null }, ...users] }
}

async function makeCollections(server: Endpoint, projectId: string): Promise<Project['tables']> {
  const { createDatabase } = await request<{ createDatabase: { id: string } }>(
    server,
    'mutation { createDatabase(input: { key: "main", name: "Main" }) { id } }',
  )
  const make = async (key: string, attribute: object) => {
    const input = { databaseId: createDatabase.id, key, permissions: [], attributes: [attribute] }
    const { createCollection } = await request<{ createCollection: { id: string } }>(
      server,
      'mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { id } }',
      { input },
    )
    await available(server, createCollection.id)
    return `"${projectId}"."${createCollection.id}"`
  }
  const notes = await make('notes', { key: 'text', type: 'STRING', size: 200, required: true })
  const counters = await make('counters', { key: 'n', type: 'INTEGER', default: 0 })
  return { notes, counters }
}

async function available(server: Endpoint, id: string): Promise<void> {
  const query = 'query ($id: ID!) { collection(id: $id) { status attributes { nodes { status } } } }'
  type Answer = { collection: { status: string; attributes: { nodes: { status: string }[] } } }
  for (let tries = 0; tries < 600; tries += 1) {
    const { collection } = await request<Answer>(server, query, { id })
    const states = [collection.status, ...collection.attributes.nodes.map(({ status }) => status)]
    if (states.every((state) => state === 'AVAILABLE')) return
    await sleep(50)
  }
  throw new Error('A collection was not made.')
}

async function makeUser(guest: Endpoint, name: string): Promise<Principal> {
  const input = `{ email: "${name}@example.org", password: "correct horse", name: "${name}" }`
  const { signUp } = await request<{ signUp: { secret: string } }>(
    guest,
    `mutation { signUp(input: ${input}) { secret } }`,
  )
  const authorization = `Bearer ${signUp.secret}`
  const { account } = await request<{ account: { id: string } }>({ ...guest, authorization }, '{ account { id } }')
  return { name, authorization, roles: ['any', `user:${account.id}`] }
}
