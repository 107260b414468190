import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GraphQLSchema } from 'graphql'
import pg from 'pg'
import pino from 'pino'
import { schema as api } from '../../../schema/index.ts'
import { createSchemas } from '../../../schema/schemas.ts'
import { startRelay } from '../../../workers/relay.ts'
import { type App, createApp } from '../../app.ts'
import { type Actor, asSystem, type Context } from '../../context.ts'
import { typeNameOf } from '../../documents/names.ts'
import { readEnv } from '../../env.ts'
import { isRaw, isStream, jsonOf } from '../../http/stream.ts'
import { createGraphql } from '../../server.ts'
import { createCollections, type NewCollection } from '../collections.ts'
import { operate } from '../operation.ts'
import { kinds, type Principal } from './data.ts'
import { clock, onTurn } from './ids.ts'
import { rowsOf, type Variant } from './rows.ts'
import type { Servers } from './servers.ts'
import type { Printed } from './tree.ts'

/** An operation is compiled to a statement that answers its bytes, where it can be; or executed field by field. */
export type Path = 'compiled' | 'ordinary'

/** One database and the server on it. */
export type World = {
  schemaFor: (principal: Principal) => Promise<GraphQLSchema>
  /** The names of root fields that every project has, as `Query.users`. */
  common: ReadonlySet<string>
  /** Runs an operation at a moment of its own, and answers the bytes of the answer. */
  run: (principal: Principal, operation: Printed, turn: number, path?: Path) => Promise<string>
  /** How many answers the database has made whole. */
  compiled: () => number
  /** What the log said last of an answer with the code INTERNAL or UNAVAILABLE. */
  lastFault: () => string
  /** How many events all changes so far have left. */
  countEvents: () => Promise<number>
  /** How many answers were kept ones. */
  kept: () => number
  /** Puts every row back to where it was in the beginning. */
  reset: () => Promise<void>
  close: () => Promise<void>
}

export type Pair = { a: World; b: World }

export type Stage = {
  /** Two databases that differ in what the principal may not read, or, where they are to be alike, in nothing. */
  createPair: (principal: Principal, alike: boolean) => Promise<Pair>
  close: () => Promise<void>
}

const projectId = 'prj_fuzz'

/** Another project in the same database, of which nobody who asks may read anything. */
const otherProjectId = 'prj_other'
const otherVaults: NewCollection = { permissions: ['read:any'], attributes: { secret: { type: 'STRING' } } }

/** Whole views cost more than a client may ask for. */
const costLimits = { client: 200_000, server: 200_000, console: 200_000 }
const common: ReadonlySet<string> = new Set(rootFieldsOf(api))

export const owner: Principal = {
  name: 'owner',
  actor: { kind: 'account', id: 'usr_owner', sessionId: 'ses_owner', role: 'OWNER' },
  roles: null,
}

/** A database with the collections and no rows, from which all others are copied. `cached`: their answers are kept. */
export async function createStage(
  { databaseUrl: serverUrl, redisUrl }: Servers,
  cached: boolean,
  say: (line: string) => void,
): Promise<Stage> {
  const prefix = `fuzz_${randomBytes(5).toString('hex')}`
  const urlOf = (name: string) => Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  const names = [prefix]
  say(`databases ${prefix}…`)
  const drop = async () => {
    for (const name of names) await onServer(serverUrl, `drop database if exists ${name} with (force)`)
  }
  await onServer(serverUrl, `create database ${prefix}`)
  const app = await openApp(urlOf(prefix), redisUrl)
  await app.db.project.create({ data: { id: projectId, name: 'Fuzz' } })
  await createCollections(asSystem(app, 'fuzz', projectId), kinds)
  if (cached) await app.db.collection.updateMany({ data: { cacheSeconds: 60 } })
  await app.db.project.create({ data: { id: otherProjectId, name: 'Other' } })
  await createCollections(asSystem(app, 'fuzz', otherProjectId), { vaults: otherVaults })
  await app.close()
  const createWorld = async (principal: Principal, variant: Variant) => {
    const name = `${prefix}_${names.length}`
    names.push(name)
    await onServer(serverUrl, `create database ${name} template ${prefix}`)
    // A log of its own, and so names of its own in Redis.
    await onServer(urlOf(name), 'update events.head set epoch = gen_random_uuid()')
    return openWorld(await openApp(urlOf(name), redisUrl), principal, variant, cached)
  }
  return {
    createPair: async (principal, alike) => {
      const worlds = [createWorld(principal, 'a'), createWorld(principal, alike ? 'a' : 'b')] as const
      const [a, b] = await Promise.all(worlds)
      return { a, b }
    },
    close: drop,
  }
}

async function openApp(url: string, redisUrl: string): Promise<App> {
  const env = readEnv({
    DATABASE_URL: url,
    REDIS_URL: redisUrl,
    DATABASE_POOL: '4',
    SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    NODE_ENV: 'test',
  })
  const app = await createApp(env, 'fuzz')
  // A machine that is busy with others makes no run invalid.
  for (const { options } of [app.sql, app.reserve]) {
    Object.assign(options, { connectionTimeoutMillis: 60_000, idleTimeoutMillis: 0 })
  }
  return { ...app, clock }
}

async function openWorld(opened: App, principal: Principal, variant: Variant, cached: boolean): Promise<World> {
  const { log, last } = listenToLog()
  const app = { ...opened, log }
  const schemas = createSchemas(app)
  const graphql = {
    compiled: createGraphql(app, schemas),
    ordinary: createGraphql(app, schemas, { plans: false }),
  }
  const relay = cached ? startRelay(app) : null
  let compiled = 0
  const answer = async (ctx: Context, operation: Printed, path: Path): Promise<string> => {
    const answered = await graphql[path].run(ctx, operation, ['query', 'mutation'])
    if (isStream(answered)) throw new Error('No operation is a stream.')
    if (isRaw(answered)) compiled += 1
    return jsonOf(answered)
  }
  /** What is kept may be old for a moment, and here nobody waits. */
  const settle = async () => {
    if (!relay) return
    while ((await app.sql.query('select from events.outbox limit 1')).rowCount) await sleep(1)
    await app.cache.look()
  }
  await seed(contextOf(app, owner.actor), schemas, principal, variant)
  await seedOther(contextOf(app, owner.actor, otherProjectId), schemas, variant)
  const tables = await keepRows(app)
  return {
    schemaFor: ({ actor }) => schemas.for(contextOf(app, actor)),
    common,
    run: async (caller, operation, turn, path = 'compiled') => {
      const answered = await onTurn(turn, () => answer(contextOf(app, caller.actor), operation, path))
      if (operation.query.startsWith('mutation')) await settle()
      return answered
    },
    compiled: () => compiled,
    kept: () => app.cache.hits(),
    lastFault: last,
    countEvents: async () => {
      const { rows } = await app.sql.query<{ count: string }>(
        'select (select count(*) from events.outbox) + seq as count from events.head',
      )
      return Number(rows[0]?.count)
    },
    reset: async () => {
      await app.sql.query(cached ? `${tables} ${everythingChanged}` : tables)
      await settle()
    },
    close: async () => {
      await relay?.stop()
      await graphql.compiled.close()
      await graphql.ordinary.close()
      await app.close()
    },
  }
}

function listenToLog() {
  let line = ''
  const write = (chunk: string) => {
    line = chunk
  }
  const last = () => String(JSON.parse(line || '{}').err?.message ?? 'unknown')
  return { log: pino({ level: 'warn' }, { write }), last }
}

function rootFieldsOf(schema: GraphQLSchema): string[] {
  return [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
    Object.keys(type?.getFields() ?? {}).map((name) => `${type?.name}.${name}`),
  )
}

function contextOf(app: App, actor: Actor | null, project = projectId): Context {
  const ctx: Context = { ...asSystem(app, 'fuzz', project), actor, costLimits, reauthenticate: async () => ctx }
  return ctx
}

type Schemas = ReturnType<typeof createSchemas>

async function seed(ctx: Context, schemas: Schemas, principal: Principal, variant: Variant): Promise<void> {
  const rows = rowsOf(principal, variant)
  for (const { kind, place, input } of rows) {
    const typeName = typeNameOf(kind)
    const text = `mutation ($input: Create${typeName}Input!) { create${typeName}(input: $input) { id } }`
    const { errors } = await onTurn(-1_000_000 + place, () => operate(schemas, ctx, text, { input }))
    if (errors.length > 0) throw new Error(`A row of ${kind} is refused: ${errors[0]} ${JSON.stringify(input)}`)
  }
  for (const { id, links, kind } of rows) {
    for (const [key, targets] of Object.entries(links)) await link(ctx, kind, key, id, targets)
  }
}

/** Under ids that the project itself has too. */
async function seedOther(ctx: Context, schemas: Schemas, variant: Variant): Promise<void> {
  for (const i of variant === 'a' ? [0, 1, 2, 3] : [2, 3, 4]) {
    const text = `mutation { createVault(input: { id: "vaults-${i}", secret: "${variant}${i}" }) { id } }`
    const { errors } = await operate(schemas, ctx, text)
    if (errors.length > 0) throw new Error(`A row of the other project is refused: ${errors[0]}`)
  }
}

/** The pairs of a relation that has many on both sides stand in a table that has its attribute's id. */
async function link({ sql }: Context, kind: string, key: string, from: string, targets: string[]): Promise<void> {
  const { rows } = await sql.query<{ id: string }>(
    'select a.id from attributes a join collections c on c.id = a."collectionId" where a.key = $1 and c.key = $2',
    [key, kind],
  )
  const text = `insert into "${projectId}"."${rows[0]?.id}" (_from, _to) select $1, unnest($2::text[])`
  await sql.query(text, [from, targets])
}

/** Copies all rows, and answers the statements that bring them back. */
async function keepRows({ sql }: App): Promise<string> {
  await sql.query('create schema kept')
  const { rows } = await sql.query<{ name: string; columns: string[] }>(
    `select table_name as name, array_agg(column_name::text) filter (where is_generated = 'NEVER') as columns
     from information_schema.columns where table_schema = $1 group by table_name`,
    [projectId],
  )
  const back = []
  for (const { name, columns } of rows) {
    const table = `"${projectId}"."${name}"`
    const list = columns.map((column) => `"${column}"`).join(', ')
    await sql.query(`create table kept."${name}" as select ${list} from ${table}`)
    back.push(`delete from ${table}; insert into ${table} (${list}) select ${list} from kept."${name}";`)
  }
  return `set local session_replication_role = replica; ${back.join(' ')} delete from events.outbox; delete from idempotencies;`
}

/** Rows were put back without events. */
const everythingChanged = `
  insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind")
  values (gen_random_uuid(), 'console', 'projects.${projectId}.schema-changed', 'projects.schema-changed', 'projects.${projectId}',
    '{"projectId": "${projectId}", "revision": 0}', 'system');`

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}
