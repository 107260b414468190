import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../src/api.ts'
import { createKey } from '../src/modules/keys/keys.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Endpoint, headersOf } from './client/request.ts'

const guide = readFileSync(new URL('../docs/guides/api.md', import.meta.url), 'utf8')
/** Each operation, and the answer that the guide promises for it. */
const blocks = [...guide.matchAll(/```graphql\n([\s\S]*?)```\n```json\n([\s\S]*?)```/g)].map(
  ([, operation = '', answer = '']) => ({ operation, answer }),
)

let world: World
let api: Api
let server: Endpoint
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
  const { projectId, ownerAtConsole } = await world.createProject()
  const scopes = ['users.read', 'users.write']
  const { secret } = await createKey(ownerAtConsole, { projectId, name: 'guide', scopes })
  server = { url: `${api.url}/projects/${projectId}/graphql`, authorization: `Bearer ${secret}` }
})
after(async () => {
  await api.close()
  await world.close()
})

test('the guide to the API, block by block', async () => {
  assert.equal(blocks.length, guide.match(/```graphql/g)?.length)
  let id = ''
  for (const { operation, answer } of blocks) {
    const body = JSON.stringify({ query: operation.replace('usr_…', id) })
    const response = await fetch(server.url, { method: 'POST', headers: headersOf(server), body })
    const { data, errors } = (await response.json()) as {
      data?: Record<string, { id?: string } | null> | null
      errors?: { message: string; extensions: object }[]
    }
    id = data?.createUser?.id ?? id
    const told = errors ? { errors: errors.map(({ message, extensions }) => ({ message, extensions })) } : { data }
    assert.deepEqual(told, JSON.parse(answer.replace('usr_…', id)), operation)
  }
})
