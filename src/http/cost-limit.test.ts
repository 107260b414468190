import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { createKey } from '../modules/keys/keys.ts'
import { updateProject } from '../modules/projects/projects.ts'
import { json, poster } from '../testing/server.ts'
import { createWorld, type World } from '../testing/world.ts'
import { costLimits } from './limits.ts'

let world: World
let api: Api
let owner: Context
let projectId: string
let headers: Record<string, string>
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
  const made = await world.createProject()
  projectId = made.projectId
  owner = made.ownerAtConsole
  const { secret } = await createKey(owner, { projectId, name: 'test', scopes: ['users.read'] })
  headers = { ...json, authorization: `Bearer ${secret}` }
})
after(async () => {
  await api.close()
  await world.close()
})

/** Ways to ask for 200 users or their like, as if each part were little. */
const disguises: Record<string, [query: string, variables?: object]> = {
  aliases: ['{ a: users(first: 100) { nodes { id } } b: users(first: 100) { nodes { id } } }'],
  fragments: [
    '{ ...A ...B } fragment A on Query { a: users(first: 100) { ...C } } fragment B on Query { b: users(first: 100) { ...C } } fragment C on UserConnection { nodes { id } }',
  ],
  'inline fragments': [
    '{ ... { a: users(first: 100) { nodes { id } } } ... on Query { b: users(first: 100) { nodes { id } } } }',
  ],
  'a variable': [
    'query ($n: Int) { a: users(first: $n) { nodes { id } } b: users(last: $n) { nodes { id } } }',
    { n: 100 },
  ],
  'the default of a variable': [
    'query ($n: Int = 100) { a: users(first: $n) { nodes { id } } b: users(first: $n) { nodes { id } } }',
  ],
  'nothing said of the page': ['{ users { nodes { sessions { nodes { id } } } } }'],
  'nested pages': ['{ users(first: 3) { nodes { sessions(first: 100) { nodes { id } } } } }'],
  edges: ['{ users(first: 3) { edges { node { sessions(first: 100) { edges { cursor } } } } } }'],
  'cursors alone': ['{ a: users(first: 100) { edges { cursor } } b: users(last: 100) { edges { cursor } } }'],
  '@include and @skip': [
    'query ($yes: Boolean!, $no: Boolean!) { a: users(first: 100) @include(if: $yes) { nodes { id } } b: users(first: 100) @skip(if: $no) { nodes { id } } }',
    { yes: true, no: false },
  ],
  counts: [
    '{ a: users(first: 0) { totalCount } b: users(first: 0) { totalCount } c: users(first: 0) { totalCount } d: users(first: 0) { totalCount } }',
  ],
}

// biome-ignore lint/suspicious/noExplicitAny: what a server answers is checked by what follows
async function ask(query: string, variables = {}): Promise<any> {
  const response = await poster(api.url)({ query, variables }, headers, `/projects/${projectId}/graphql`)
  return response.json()
}
const users = 'query ($n: Int) { users(first: $n) { nodes { id } } }'

test('every answer tells its cost and the limit, and the owner of a project decides how much that is', async () => {
  const cost = async (n: number) => (await ask(users, { n })).extensions.cost
  assert.deepEqual(await cost(100), { requested: 101, limit: costLimits.server })
  await updateProject(owner, projectId, { costLimits: { server: 100 } })
  assert.deepEqual(await cost(99), { requested: 100, limit: 100 })
  const { data, errors } = await ask(users, { n: 100 })
  assert.equal(data, undefined)
  assert.equal(errors[0].extensions.code, 'LIMIT_EXCEEDED')
  assert.match(errors[0].message, /costs 101; 100 is the most/)
  await updateProject(owner, projectId, { costLimits: { server: null } })
  assert.deepEqual(await cost(100), { requested: 101, limit: costLimits.server })
})

test('nothing is cheaper by being asked for in another way, nor in a batch', async () => {
  await updateProject(owner, projectId, { costLimits: { server: 150 } })
  const codes = (answers: { errors?: { extensions: { code: string } }[] }[]) =>
    answers.map(({ errors }) => errors?.[0]?.extensions.code)
  for (const [how, [query, variables = {}]] of Object.entries(disguises)) {
    assert.deepEqual(codes([await ask(query, variables)]), ['LIMIT_EXCEEDED'], how)
    const batch = [{ query, variables }, { query: '{ users(first: 1) { nodes { id } } }' }, { query, variables }]
    const response = await poster(api.url)(batch, headers, `/projects/${projectId}/graphql`)
    assert.deepEqual(codes(await response.json()), ['LIMIT_EXCEEDED', undefined, 'LIMIT_EXCEEDED'], how)
  }
  await updateProject(owner, projectId, { costLimits: { server: null } })
})

test('introspection is not counted against it', async () => {
  const { extensions } = await ask('{ __schema { types { name fields { name } } } }')
  assert.equal(extensions.cost.requested, 0)
})
