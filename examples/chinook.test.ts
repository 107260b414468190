import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  buildClientSchema,
  GraphQLObjectType,
  GraphQLSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  printSchema,
} from 'graphql'
import type { PoolClient } from 'pg'
import { type Api, startApi } from '../src/api.ts'
import { createKey } from '../src/modules/keys/keys.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from '../workers/start.ts'
import { defineStore, fillStore } from './chinook/load.ts'
import { catalogue } from './chinook/questions/catalogue.ts'
import { sales } from './chinook/questions/sales.ts'
import { findStore } from './chinook/rows.ts'
import { createPlainTables } from './chinook/tables.ts'
import { type Endpoint, request } from './client/request.ts'
import { graphql } from './generated/gql.ts'

const store = findStore()
const skip = store ? false : 'there is no ../shared/data/chinook.json'

let world: World
let api: Api
let workers: Awaited<ReturnType<typeof startWorkers>>
let guest: Endpoint
let user: Endpoint
let plain: PoolClient
before(async () => {
  if (!store) return
  world = await createWorld({ PORT: '0' })
  // Agenda keeps a timer of half a lock for each job that it has run.
  workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  api = await startApi(world.app)
  const { projectId, ownerAtConsole } = await world.createProject()
  const { secret } = await createKey(ownerAtConsole, { projectId, name: 'store', scopes: Object.keys(scopes) })
  guest = { url: `${api.url}/projects/${projectId}/graphql` }
  const server = { ...guest, authorization: `Bearer ${secret}` }
  const signUp = graphql(`
    mutation Visitor { signUp(input: { email: "ann@example.org", password: "correct horse" }) { secret } }
  `)
  user = { ...guest, authorization: `Bearer ${(await request(guest, signUp)).signUp.secret}` }
  await defineStore(server)
  await fillStore(server, store)
  plain = await world.app.sql.connect()
  await createPlainTables(plain, store)
})
after(async () => {
  plain?.release(true)
  await api?.close()
  await workers?.stop()
  await world?.close()
})

async function schemaOf(to: Endpoint): Promise<GraphQLSchema> {
  return buildClientSchema(await request<IntrospectionQuery>(to, getIntrospectionQuery({ descriptions: false })))
}

/** What the user is shown and a guest is not: the fields of the store, and the types that they lead to. */
async function storeSchema(): Promise<string> {
  const [all, guests] = [await schemaOf(user), await schemaOf(guest)]
  const ownPart = (kind: 'getQueryType' | 'getMutationType' | 'getSubscriptionType') => {
    const config = all[kind]()?.toConfig()
    const known = guests[kind]()?.getFields() ?? {}
    const fields = Object.entries(config?.fields ?? {}).filter(([name]) => !(name in known))
    return config && fields.length > 0 ? new GraphQLObjectType({ ...config, fields: Object.fromEntries(fields) }) : null
  }
  const [query, mutation, subscription] = [
    ownPart('getQueryType'),
    ownPart('getMutationType'),
    ownPart('getSubscriptionType'),
  ]
  return `${printSchema(new GraphQLSchema({ query, mutation, subscription }))}\n`
}

test('a reader of the store is shown the types that one would write by hand', { skip }, async (t) => {
  const serializers = [(value: string) => value]
  t.assert.fileSnapshot(await storeSchema(), `${import.meta.dirname}/chinook.graphql`, { serializers })
})

for (const { title, ask, sql } of [...catalogue, ...sales]) {
  test(title, { skip }, async () => {
    const { rows } = await plain.query<unknown[]>({ text: sql, rowMode: 'array' })
    assert.ok(rows.length > 0)
    assert.deepEqual(await ask(user), rows)
  })
}
