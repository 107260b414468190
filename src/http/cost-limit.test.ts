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

test('introspection is not counted against it', async () => {
  const { extensions } = await ask('{ __schema { types { name fields { name } } } }')
  assert.equal(extensions.cost.requested, 0)
})
