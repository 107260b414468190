import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, startApi } from '../src/api.ts'
import { createKey } from '../src/modules/keys/keys.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from '../workers/start.ts'
import { type Change, follow } from './client/live.ts'
import { type Endpoint, headersOf, request } from './client/request.ts'

const guide = readFileSync(new URL('../docs/guides/documents.md', import.meta.url), 'utf8')
/** Each operation, and the answer that the guide promises for it. */
const blocks = [...guide.matchAll(/```graphql\n([\s\S]*?)```(?:\n+```json\n([\s\S]*?)```)?/g)].map(
  ([, operation = '', answer]) => ({ operation, answer }),
)

let world: World
let api: Api
let workers: Awaited<ReturnType<typeof startWorkers>>
let server: Endpoint
let user: Endpoint
/** What stands for the ids that the guide leaves open. */
const ids: Record<string, string> = {}
before(async () => {
  world = await createWorld({ PORT: '0' })
  // Agenda keeps a timer of half a lock for each job that it has run.
  workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  api = await startApi(world.app)
  const { projectId, ownerAtConsole } = await world.createProject()
  const { secret } = await createKey(ownerAtConsole, { projectId, name: 'guide', scopes: Object.keys(scopes) })
  const guest = { url: `${api.url}/projects/${projectId}/graphql` }
  server = { ...guest, authorization: `Bearer ${secret}` }
  const signUp =
    'mutation { signUp(input: { email: "a@example.org", password: "correct horse" }) { secret account { id } } }'
  const { signUp: signedIn } = await request<{ signUp: { secret: string; account: { id: string } } }>(guest, signUp)
  user = { ...guest, authorization: `Bearer ${signedIn.secret}` }
  ids.usr = signedIn.account.id
})
after(async () => {
  await api.close()
  await workers.stop()
  await world.close()
})

type Answer = { data?: Record<string, { id: string } | null>; errors?: { message: string; extensions: object }[] }

async function send(to: Endpoint, operation: string): Promise<Answer> {
  const query = operation.replace(/"(\w+)_…"/g, (_, kind) => JSON.stringify(ids[kind]))
  const response = await fetch(to.url, { method: 'POST', headers: headersOf(to), body: JSON.stringify({ query }) })
  return (await response.json()) as Answer
}

/** Until the databases worker has made a collection, its fields are not there. */
async function made(typeName: string): Promise<void> {
  for (;;) {
    const { data } = await send(user, `{ __type(name: "${typeName}") { fields { name } } }`)
    if (data?.__type) return
    await sleep(20)
  }
}

test('the guide to documents, block by block', async () => {
  assert.ok(blocks.length >= 15)
  for (const { operation, answer } of blocks) {
    if (operation.startsWith('subscription')) {
      await changes(operation)
      continue
    }
    const define = /create(Database|Collection)\b/.exec(operation)
    const { data, errors, ...rest } = await send(define ? server : user, operation)
    const told = errors?.map(({ message, extensions }) => ({ message, extensions }))
    const expected = answer === undefined ? null : JSON.parse(answer)
    if (expected?.extensions) assert.deepEqual(rest, expected, operation)
    else if (expected) assert.deepEqual(told ? { errors: told } : { data }, expected, operation)
    else assert.equal(told, undefined, `${operation}${JSON.stringify(told)}`)
    const { createDatabase, createCollection } = data ?? {}
    if (createDatabase) ids.db = createDatabase.id
    if (createCollection) {
      ids.col = createCollection.id
      await made((createCollection as { id: string; typeName: string }).typeName)
    }
  }
})

/** A subscription does not say when it has begun, so the post is changed until it was told. */
async function changes(operation: string): Promise<void> {
  const seen: Change<{ views: number }>[] = []
  const query = operation
    .replace('subscription {', 'subscription ($after: String) {')
    .replace('(where', '(after: $after, where')
  const live = follow<{ views: number }>(user, query, 'postChanged', (change) => seen.push(change))
  for (let i = 0; seen.length === 0 && i < 100; i += 1) {
    await send(user, 'mutation { updatePost(input: { id: "mice" }, apply: { views: { increment: 1 } }) { id } }')
    await sleep(50)
  }
  live.stop()
  assert.equal(seen[0]?.kind, 'UPDATED')
}
