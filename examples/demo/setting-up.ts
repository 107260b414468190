import assert from 'node:assert/strict'
import { type Endpoint, request } from '../client/request.ts'
import { step, until } from './steps.ts'

export type Project = { id: string; server: Endpoint; owner: Endpoint; guest: Endpoint }
export type Users = { ann: Endpoint & { id: string }; bob: Endpoint & { id: string }; guest: Endpoint }
export type Collections = { databaseId: string; authorsId: string; postsId: string }

export async function signUpAsOwner(url: string): Promise<Endpoint> {
  const visitor = { url: `${url}/graphql` }
  return step('You sign up as an owner at the console API', async () => {
    const { signUp } = await request<{ signUp: { secret: string } }>(
      visitor,
      'mutation { signUp(input: { email: "owner@example.org", password: "correct horse", name: "Olga" }) { secret } }',
    )
    const owner = { ...visitor, authorization: `Bearer ${signUp.secret}` }
    const { account } = await request<{ account: { name: string } }>(owner, '{ account { name } }')
    assert.equal(account.name, 'Olga')
    return owner
  })
}

export async function makeProject(owner: Endpoint): Promise<Project> {
  const { id, endpoint } = await step('You create a project', async () => {
    const query = 'mutation { createProject(input: { name: "Blog" }) { id endpoint } }'
    return (await request<{ createProject: { id: string; endpoint: string } }>(owner, query)).createProject
  })
  const secret = await step('You create an API key with every scope', async () => {
    const { keyScopes } = await request<{ keyScopes: { name: string }[] }>(owner, '{ keyScopes { name } }')
    const query = 'mutation ($input: CreateKeyInput!) { createKey(input: $input) { secret } }'
    const input = { projectId: id, name: 'server', scopes: keyScopes.map(({ name }) => name) }
    return (await request<{ createKey: { secret: string } }>(owner, query, { input })).createKey.secret
  })
  const guest = { url: endpoint }
  return {
    id,
    guest,
    server: { ...guest, authorization: `Bearer ${secret}` },
    owner: { ...guest, authorization: owner.authorization },
  }
}

const createCollection = 'mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { id status } }'

type Created = { createCollection: { id: string } }

export async function defineCollections(project: Project): Promise<Collections> {
  const { server } = project
  const databaseId = await step('You create a database', async () => {
    const query = 'mutation { createDatabase(input: { key: "main", name: "Main" }) { id } }'
    return (await request<{ createDatabase: { id: string } }>(server, query)).createDatabase.id
  })
  const permissions = [
    { role: 'users', right: 'CREATE' },
    { role: 'users', right: 'READ' },
  ]
  const authorsId = await step('You create the collection authors', async () => {
    const input = {
      databaseId,
      key: 'authors',
      permissions,
      attributes: [{ key: 'name', type: 'STRING', size: 100, required: true }],
    }
    return (await request<Created>(server, createCollection, { input })).createCollection.id
  })
  const postsId = await step(
    'You create the collection posts, with attributes, a relation to authors and an index',
    async () => {
      const attributes = [
        { key: 'title', type: 'STRING', size: 200, required: true },
        { key: 'views', type: 'INTEGER', default: 0 },
        { key: 'published', type: 'DATETIME' },
        { key: 'author', type: 'RELATION', relatedCollectionId: authorsId, reverseKey: 'posts', onDelete: 'CASCADE' },
      ]
      const indexes = [{ key: 'byViews', type: 'KEY', attributes: ['views'], orders: ['DESC'] }]
      const input = { databaseId, key: 'posts', permissions: [permissions[0]], attributes, indexes }
      return (await request<Created>(server, createCollection, { input })).createCollection.id
    },
  )
  await step('The databases worker makes them: status AVAILABLE', () =>
    until('AVAILABLE', () => isAvailable(server, postsId), 10_000),
  )
  await step("The project's API has Post, posts, createPost and postChanged within a second", () =>
    until('Post', () => hasTypes(server), 1_000),
  )
  await step('A guest sees none of that, nor a type of the server', () => guestSeesNothing(project.guest))
  return { databaseId, authorsId, postsId }
}

type Status = { status: string; statusReason: string | null }
type CollectionStatus = { collection: Status & { attributes: { nodes: Status[] }; indexes: { nodes: Status[] } } }

async function isAvailable(server: Endpoint, id: string): Promise<boolean> {
  const { collection } = await request<CollectionStatus>(
    server,
    `query ($id: ID!) { collection(id: $id) {
       status statusReason attributes { nodes { status statusReason } } indexes { nodes { status statusReason } } } }`,
    { id },
  )
  const parts = [collection, ...collection.attributes.nodes, ...collection.indexes.nodes]
  const failed = parts.find(({ status }) => status === 'FAILED')
  if (failed) throw new Error(`It failed: ${failed.statusReason}`)
  return parts.every(({ status }) => status === 'AVAILABLE')
}

type Introspection = { __schema: { types: { name: string; fields: { name: string }[] | null }[] } }

const introspect = (to: Endpoint) => request<Introspection>(to, '{ __schema { types { name fields { name } } } }')

async function hasTypes(server: Endpoint): Promise<boolean> {
  const { types } = (await introspect(server)).__schema
  const fields = types.flatMap(({ fields }) => fields?.map(({ name }) => name) ?? [])
  return (
    types.some(({ name }) => name === 'Post') &&
    ['posts', 'createPost', 'postChanged'].every((name) => fields.includes(name))
  )
}

async function guestSeesNothing(guest: Endpoint): Promise<void> {
  const text = JSON.stringify(await introspect(guest))
  for (const name of ['Post', 'Webhook', 'Key', 'createCollection', 'users', 'audits'])
    assert.ok(!text.includes(`"${name}"`), name)
}

export async function signUpUsers({ guest }: Project): Promise<Users> {
  return step('Two end users, Ann and Bob, sign up', async () => {
    const query = 'mutation ($input: SignUpInput!) { signUp(input: $input) { secret account { id } } }'
    const signUp = async (name: string) => {
      const input = { name, email: `${name.toLowerCase()}@example.org`, password: 'correct horse' }
      const answer = await request<{ signUp: { secret: string; account: { id: string } } }>(guest, query, { input })
      return { ...guest, authorization: `Bearer ${answer.signUp.secret}`, id: answer.signUp.account.id }
    }
    return { ann: await signUp('Ann'), bob: await signUp('Bob'), guest }
  })
}
