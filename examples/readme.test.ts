import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, startApi } from '../src/api.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from '../workers/start.ts'
import { type Change, follow } from './client/live.ts'
import { type Endpoint, RequestFailed, request } from './client/request.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, text = '']) => text)

let world: World
let api: Api
let workers: Awaited<ReturnType<typeof startWorkers>>
before(async () => {
  world = await createWorld({ PORT: '0' })
  // Agenda keeps a timer of half a lock for each job that it has run.
  workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  api = await startApi(world.app)
})
after(async () => {
  await api.close()
  await workers.stop()
  await world.close()
})

test('the first ten minutes of the README, block by block', async () => {
  const [
    signUp = '',
    createProject = '',
    createDatabase = '',
    createCollection = '',
    createPost = '',
    subscription = '',
  ] = blocks
  assert.equal(blocks.length, 6)
  const visitor = { url: `${api.url}/graphql` }
  const { secret } = (await request<{ signUp: { secret: string } }>(visitor, signUp)).signUp
  const owner = { ...visitor, authorization: `Bearer ${secret}` }
  const project = (await request<{ createProject: { id: string; endpoint: string } }>(owner, createProject))
    .createProject
  assert.ok(project.endpoint.endsWith(`/projects/${project.id}/graphql`))
  const to: Endpoint = { ...owner, url: `${api.url}/projects/${project.id}/graphql` }
  const database = (await request<{ createDatabase: { id: string } }>(to, createDatabase)).createDatabase
  await request(to, createCollection.replace('db_…', database.id))
  const post = await retry(() => request<{ createPost: { title: string } }>(to, createPost))
  assert.equal(post.createPost.title, 'Hello')

  const seen: Change<{ views: number }>[] = []
  const query = subscription
    .replace('subscription {', 'subscription ($after: String) {')
    .replace('postChanged(', 'postChanged(after: $after, ')
  const live = follow<{ views: number }>(to, query, 'postChanged', (change) => seen.push(change))
  for (let i = 0; seen.length === 0 && i < 100; i++) {
    await request(to, createPost.replace('title: "Hello"', 'title: "Hello", views: 6'))
    await sleep(50)
  }
  live.stop()
  assert.equal(seen[0]?.node?.views, 6)
})

/** Until the databases worker has made the collection, its fields are not there. */
async function retry<T>(call: () => Promise<T>): Promise<T> {
  for (let i = 0; i < 200; i++) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error
      await sleep(50)
    }
  }
  return call()
}

test('every command of the README is one of the project', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  for (const [, name = ''] of readme.matchAll(/npm run ([\w:]+)/g)) assert.ok(name in scripts, name)
})
