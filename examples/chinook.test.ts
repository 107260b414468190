import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, printSchema } from 'graphql'
import { type Api, startApi } from '../src/api.ts'
import { createKey } from '../src/modules/keys/keys.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from '../workers/start.ts'
import { defineStore, fillStore } from './chinook/load.ts'
import { findStore } from './chinook/rows.ts'
import { type Endpoint, request } from './client/request.ts'
import { graphql } from './generated/gql.ts'

const store = findStore()
const skip = store ? false : 'there is no ../shared/data/chinook.json'

let world: World
let api: Api
let workers: Awaited<ReturnType<typeof startWorkers>>
let server: Endpoint
let user: Endpoint
before(async () => {
  if (!store) return
  world = await createWorld({ PORT: '0' })
  // Agenda keeps a timer of half a lock for each job that it has run.
  workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  api = await startApi(world.app)
  const { projectId, ownerAtConsole } = await world.createProject()
  const { secret } = await createKey(ownerAtConsole, { projectId, name: 'store', scopes: Object.keys(scopes) })
  const guest = { url: `${api.url}/projects/${projectId}/graphql` }
  server = { ...guest, authorization: `Bearer ${secret}` }
  const signUp = graphql(`
    mutation Visitor { signUp(input: { email: "ann@example.org", password: "correct horse" }) { secret } }
  `)
  user = { ...guest, authorization: `Bearer ${(await request(guest, signUp)).signUp.secret}` }
  let t = performance.now()
  await defineStore(server)
  console.log('define', performance.now() - t)
  t = performance.now()
  await fillStore(server, store)
  console.log('fill', performance.now() - t)
})
after(async () => {
  await api?.close()
  await workers?.stop()
  await world?.close()
})

test('the store has the types that one would write by hand', { skip }, async (t) => {
  const introspection = await request<IntrospectionQuery>(user, getIntrospectionQuery())
  const text = `${printSchema(buildClientSchema(introspection))}\n`
  t.assert.fileSnapshot(text, `${import.meta.dirname}/chinook.graphql`, { serializers: [(value: string) => value] })
})
