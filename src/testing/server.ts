import { Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql'
import pino from 'pino'
import WebSocket from 'ws'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { Forbidden, Invalid, LimitExceeded, ResyncRequired, Unauthenticated } from '../errors.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createGraphql } from '../server.ts'
import { TooSlow } from '../tail.ts'
import { createWorld, type World } from './world.ts'

const sdl = `
  enum Failure { INVALID FORBIDDEN SLOW_DOWN BUG TEXT NULL STATEMENT_TIMEOUT }
  type Node { id: ID! node: Node nodes: [Node!]! }
  type Tick { cursor: String! n: Int! text: String }
  type Query {
    hello: String!
    me: String!
    ip: String!
    userAgent: String!
    echo(text: String, number: Int): String
    fail(how: Failure!): String
    slow(ms: Int!): String!
    text(size: Int!): String!
    node: Node
  }
  type Mutation { bump: Int! slow(ms: Int!): Int! }
  type Subscription { ticks(count: Int!, after: String): Tick! silent: Tick! flood: Tick! refused: Tick! broken: Tick! slow: Tick! revoked: Tick! }
`

export type Fixture = {
  world: World
  api: Api
  projectId: string
  /** `Bearer key_…` of the project. */
  authorization: string
  /** What resolvers did. */
  seen: { bumps: number; resolvers: number; silent: number; flooded: number }
  /** The lines of the log. */
  log: () => Record<string, unknown>[]
  close: () => Promise<void>
}

/** A server with a small API of its own, on a database of its own. */
export async function createFixture(env: Record<string, string> = {}): Promise<Fixture> {
  const world = await createWorld({ PORT: '0', ALLOWED_ORIGINS: 'https://app.example', ...env })
  const { projectId } = await world.createProject()
  const secret = newSecret('key')
  await world.app.db.key.create({
    data: { id: 'key_test', projectId, name: 'test', hash: hashSecret(secret), scopes: [] },
  })
  const lines: string[] = []
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk))
      done()
    },
  })
  const app = { ...world.app, log: pino({ level: 'debug' }, sink) }
  const seen = { bumps: 0, resolvers: 0, silent: 0, flooded: 0 }
  const schema = createSchema(seen)
  const graphql = createGraphql(app, { for: async () => schema, close: async () => {} })
  const api = await startApi(app, graphql)
  return {
    world,
    api,
    projectId,
    authorization: `Bearer ${secret}`,
    seen,
    log: () => lines.map((line) => JSON.parse(line)),
    close: async () => {
      await api.close()
      await world.close()
    },
  }
}

type Resolvers = Record<string, GraphQLFieldResolver<unknown, Context>>

function createSchema(seen: Fixture['seen']): GraphQLSchema {
  const schema = buildSchema(sdl)
  const query: Resolvers = {
    hello: () => 'world',
    me: (_root, _args, { actor }) => (actor ? `${actor.kind} ${actor.id}` : 'guest'),
    ip: (_root, _args, { client }) => client.ip,
    userAgent: (_root, _args, { client }) => client.userAgent,
    echo: (_root, { text }) => text,
    fail: (_root, { how }, ctx) => fail(how, ctx),
    slow: (_root, { ms }) => wait(ms, 'slow'),
    text: (_root, { size }) => 'x'.repeat(size),
    node: () => ({ id: 1 }),
  }
  const mutation: Resolvers = {
    bump: () => (seen.bumps += 1),
    slow: (_root, { ms }) => wait(ms).then(() => (seen.bumps += 1)),
  }
  for (const [type, resolvers] of [
    [schema.getQueryType(), query] as const,
    [schema.getMutationType(), mutation] as const,
  ]) {
    for (const [name, field] of Object.entries(type?.getFields() ?? {})) {
      field.resolve = (root, args, ctx, info) => {
        seen.resolvers += 1
        return resolvers[name]?.(root, args, ctx, info)
      }
    }
  }
  const subscriptions = createSubscriptions(seen)
  for (const [name, field] of Object.entries(schema.getSubscriptionType()?.getFields() ?? {})) {
    Object.assign(field, { subscribe: subscriptions[name] })
    field.resolve = (tick) => tick
  }
  return schema
}

function createSubscriptions(seen: Fixture['seen']): Resolvers {
  const tick = (n: number, text?: string) => ({ cursor: `cursor-${n}`, n, text })
  return {
    ticks: async function* (_root, { count, after }, ctx) {
      const from = Number((ctx.lastEventId ?? after ?? 'cursor-0').split('-')[1])
      for (let n = from + 1; n <= count; n += 1) yield tick(n)
    },
    silent: () => {
      seen.silent += 1
      let end: (value: IteratorResult<unknown>) => void = () => {}
      const next = new Promise<IteratorResult<unknown>>((resolve) => {
        end = resolve
      })
      const done = { done: true, value: undefined } as const
      return {
        next: () => next,
        return: async () => {
          seen.silent -= 1
          end(done)
          return done
        },
        [Symbol.asyncIterator]() {
          return this
        },
      }
    },
    flood: async function* () {
      for (let n = 1; ; n += 1) {
        seen.flooded = n
        yield tick(n, 'x'.repeat(100_000))
      }
    },
    refused: () => {
      throw new ResyncRequired('This cursor is too old.')
    },
    slow: async function* () {
      yield tick(7)
      throw new TooSlow(7n, 'cursor-7')
    },
    revoked: async function* () {
      yield tick(1)
      throw new Unauthenticated('This credential is no longer valid.')
    },
    broken: async function* () {
      yield tick(1)
      throw new Error('secret of the database')
    },
  }
}

function fail(how: string, ctx: Context): unknown {
  if (how === 'INVALID') throw new Invalid('It is too short.', ['input', 'name'])
  if (how === 'FORBIDDEN') throw new Forbidden('Not you.')
  if (how === 'SLOW_DOWN') throw new LimitExceeded('Too often.', 1_000)
  if (how === 'BUG') throw new Error('secret of the database')
  if (how === 'TEXT') throw 'secret of the database'
  if (how === 'STATEMENT_TIMEOUT') return ctx.sql.query('set local statement_timeout = 50; select pg_sleep(2)')
  return null
}

/** A WebSocket and what it was told. */
export type Client = {
  socket: WebSocket
  messages: { id?: string; type: string; payload?: unknown }[]
  send: (message: unknown) => void
  /** Resolves once `count` messages have come in all. */
  received: (count: number) => Promise<Client['messages']>
  closed: Promise<{ code: number; reason: string }>
}

/** Connects, and signs in unless `init` is false. */
export async function connect(
  url: string,
  init: object | false = {},
  options: WebSocket.ClientOptions = {},
  protocol = 'graphql-transport-ws',
) {
  const socket = new WebSocket(url.replace('http', 'ws'), protocol, options)
  const messages: Client['messages'] = []
  const waiting = new Set<() => void>()
  socket.on('message', (text) => {
    const message = JSON.parse(String(text))
    messages.push(message.type === 'next' ? { ...message, payload: withoutCost(message.payload) } : message)
    for (const check of waiting) check()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  const client: Client = {
    socket,
    messages,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    received: (count) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`only ${messages.length} of ${count} messages came`)), 5_000)
        const check = () => {
          if (messages.length < count) return
          clearTimeout(late)
          waiting.delete(check)
          resolve(messages)
        }
        waiting.add(check)
        check()
      }),
  }
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  if (init) {
    client.send({ type: 'connection_init', payload: init })
    await client.received(1)
  }
  return client
}

export const json = { 'content-type': 'application/json' }

/** Posts to the server at `url`: what is neither text nor bytes goes as JSON. */
export function poster(url: string) {
  return (body: unknown, headers: Record<string, string> = json, path = '/graphql'): Promise<Response> => {
    const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    return fetch(url + path, { method: 'POST', headers, body: text as string })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what a server answers is checked by what follows
export async function read(response: Response): Promise<any> {
  return withoutCost(await response.json())
}

/** What an operation costs has tests of its own. */
export function withoutCost<T>(answer: T): T {
  if (Array.isArray(answer)) return answer.map(withoutCost) as T
  const { extensions, ...rest } = answer as { extensions?: { cost?: unknown } }
  const { cost: _cost, ...others } = extensions ?? {}
  return (Object.keys(others).length > 0 ? { ...rest, extensions: others } : rest) as T
}

/** The code of the first error of an answer. */
export async function codeOf(response: Response): Promise<string> {
  const body = await read(response)
  return body.errors[0].extensions.code
}
