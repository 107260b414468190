import assert from 'node:assert/strict'
import { type Endpoint, request } from '../client/request.ts'
import { graphql } from '../generated/gql.ts'
import type { CreateCollectionInput } from '../generated/graphql.ts'
import { step, until } from './steps.ts'

export type Project = { id: string; server: Endpoint; owner: Endpoint; guest: Endpoint }
export type Users = { ann: Endpoint & { id: string }; bob: Endpoint & { id: string }; guest: Endpoint }
export type Collections = { databaseId: string; authorsId: string; postsId: string }

export async function signUpAsOwner(url: string): Promise<Endpoint> {
  const visitor = { url: `${url}/graphql` }
  return step('You sign up as an owner at the console API', async () => {
    const { signUp } = await request(
      visitor,
      graphql(
        `mutation SignUpOwner { signUp(input: { email: "owner@example.org", password: "correct horse", name: "Olga" }) { secret } }`,
      ),
    )
    const owner = { ...visitor, authorization: `Bearer ${signUp.secret}` }
    const { account } = await request(owner, graphql(`query Me { account { name } }`))
    assert.equal(account?.name, 'Olga')
    return owner
  })
}

export async function makeProject(owner: Endpoint): Promise<Project> {
  const { id, endpoint } = await step('You create a project', async () => {
    const query = graphql(`mutation CreateBlog { createProject(input: { name: "Blog" }) { id endpoint } }`)
    return (await request(owner, query)).createProject
  })
  const secret = await step('You create an API key with every scope', async () => {
    const { keyScopes } = await request(owner, graphql(`query Scopes { keyScopes { name } }`))
    const query = graphql(`mutation NewKey($input: CreateKeyInput!) { createKey(input: $input) { secret } }`)
    const input = { projectId: id, name: 'server', scopes: keyScopes.map(({ name }) => name) }
    return (await request(owner, query, { input })).createKey.secret
  })
  const guest = { url: endpoint }
  return {
    id,
    guest,
    server: { ...guest, authorization: `Bearer ${secret}` },
    owner: { ...guest, authorization: owner.authorization },
  }
}

const createCollection = graphql(`
  mutation NewCollection($input: CreateCollectionInput!) { createCollection(input: $input) { id status } }
`)

export async function defineCollections(project: Project): Promise<Collections> {
  const { server } = project
  const databaseId = await step('You create a database', async () => {
    const query = graphql(`mutation NewDatabase { createDatabase(input: { key: "main", name: "Main" }) { id } }`)
    return (await request(server, query)).createDatabase.id
  })
  const authorsId = await step('You create the collection authors', async () => {
    const input: CreateCollectionInput = {
      databaseId,
      key: 'authors',
      permissions: [
        { role: 'users', right: 'CREATE' },
        { role: 'users', right: 'READ' },
      ],
      attributes: [{ key: 'name', type: 'STRING', size: 100, required: true }],
    }
    return (await request(server, createCollection, { input })).createCollection.id
  })
  const postsId = await step(
    'You create the collection posts, with attributes, a relation to authors and an index',
    async () => {
      const input: CreateCollectionInput = {
        databaseId,
        key: 'posts',
        permissions: [{ role: 'users', right: 'CREATE' }],
        attributes: [
          { key: 'title', type: 'STRING', size: 200, required: true },
          { key: 'views', type: 'INTEGER', default: 0 },
          { key: 'published', type: 'DATETIME' },
          { key: 'author', type: 'RELATION', relatedCollectionId: authorsId, reverseKey: 'posts', onDelete: 'CASCADE' },
        ],
        indexes: [{ key: 'byViews', type: 'KEY', attributes: ['views'], orders: ['DESC'] }],
      }
      return (await request(server, createCollection, { input })).createCollection.id
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

const collectionStatus = graphql(`
  query CollectionStatus($id: ID!) {
    collection(id: $id) {
      status
      error
      attributes { nodes { status error } }
      indexes { nodes { status error } }
    }
  }
`)

async function isAvailable(server: Endpoint, id: string): Promise<boolean> {
  const { collection } = await request(server, collectionStatus, { id })
  if (!collection) throw new Error('It is gone.')
  const parts = [collection, ...collection.attributes.nodes, ...collection.indexes.nodes]
  const failed = parts.find(({ status }) => status === 'FAILED')
  if (failed) throw new Error(`It failed: ${failed.error}`)
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
    const query = graphql(
      `mutation SignUpUser($input: SignUpInput!) { signUp(input: $input) { secret account { id } } }`,
    )
    const signUp = async (name: string) => {
      const input = { name, email: `${name.toLowerCase()}@example.org`, password: 'correct horse' }
      const answer = await request(guest, query, { input })
      return { ...guest, authorization: `Bearer ${answer.signUp.secret}`, id: answer.signUp.account.id }
    }
    return { ann: await signUp('Ann'), bob: await signUp('Bob'), guest }
  })
}
