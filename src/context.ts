import type { Pool, PoolClient, QueryResultRow } from 'pg'
import type { PrismaClient } from '../prisma/client/client.ts'
import type { Env } from './env.ts'
import { LimitExceeded } from './errors.ts'
import type { Identities } from './identities.ts'
import type { Journal } from './modules/executions/records.ts'
import type { Running } from './modules/subscriptions/running.ts'
import type { Cache } from './platform/cache.ts'
import type { Log } from './platform/log.ts'
import type { Meter } from './platform/meter.ts'
import type { Metrics } from './platform/metrics.ts'
import type { Peers } from './platform/peers.ts'
import type { Readers } from './platform/readers.ts'
import type { Replica } from './platform/replica.ts'
import type { Sandbox } from './platform/sandbox.ts'
import type { Aside, Shares } from './platform/shares.ts'
import { answerOf } from './platform/statements.ts'
import type { Statsd } from './platform/statsd.ts'
import type { Span, Tracing } from './platform/tracing.ts'
import type { Tails } from './tail.ts'

/** Who asks. An absent principal is a guest (null), never more. */
export type Actor =
  | { kind: 'account'; id: string; sessionId: string; role: 'OWNER' | 'DEVELOPER' | null }
  | { kind: 'key'; id: string; scopes: ReadonlySet<string> }
  /** A function that acts for itself, in one of its runs. */
  | { kind: 'function'; id: string; scopes: ReadonlySet<string> }
  | { kind: 'user'; id: string; sessionId: string; verified: boolean; labels: readonly string[] }
  | { kind: 'system'; id: string }

/** The run of a function that asks, whoever it acts for. `idempotencyKey`: the same for the same call, however often it is tried. */
export type FunctionRun = { functionId: string; executionId: string; depth: number; idempotencyKey: string | null }

/** The project of those who own projects. The console API is the API of this project. */
export const consoleProjectId = 'console'

/** The most that one operation may cost in a project, where its owners have set it. */
export type CostLimits = { readonly client?: number; readonly server?: number; readonly console?: number }

/** Everything a module may reach: infrastructure only, made once for a process. Modules import each other by name. */
export type Services = {
  env: Env
  log: Log
  metrics: Metrics
  tracing: Tracing
  db: PrismaClient
  sql: Pool
  /** Documents are read and written within their project's share of the pool. */
  shares: Shares
  /** Reads that may be a few seconds old go to a standby, where there is one. */
  replica: Replica
  /** Answers about documents, where they may be kept. */
  cache: Cache
  /** What the planner of statements on documents has to know of their readers. */
  readers: Readers
  /** Counts what projects use. */
  meter: Meter
  statsd: Statsd
  tails: Tails
  identities: Identities
  peers: Peers
  /** The subscriptions of this node. */
  running: Running
  /** The way to the executors of functions. */
  sandbox: Sandbox
  /** Where executions of functions are written. */
  journal: Journal
  clock: () => Date
  /** Tells the relay, as best it can, that there is something in the outbox. */
  wake: () => void
}

/** One request's view of them. */
export type Context = Services & {
  requestId: string
  projectId: string
  actor: Actor | null
  run?: FunctionRun | undefined
  /** Waits for what may take long, while the request's place is given to others. */
  aside?: Aside
  /** The project's own, where it has any. */
  costLimits: CostLimits
  /** Where the request came from, for the list of sessions and for limits. */
  client: { ip: string; userAgent: string }
  /** The cursor of the last event that this client has seen, where the transport carries one (SSE). */
  lastEventId?: string
  /** How much this operation has been answered of documents, where that is counted. */
  answered?: { bytes: number }
  /** What of the trace goes on here, where it is recorded. */
  span?: Span | undefined
  /** How long a transaction waits for what others have locked, where whoever opens it tries again. */
  patienceMs?: number
  /** The transaction that all its writes are parts of, where it has opened one. */
  open?: Open
  /**
   * Arguments of fields on which functions have decided before the transaction was opened, by response key; null for what
   * was done already.
   */
  decided?: ReadonlyMap<string, Readonly<Record<string, unknown>> | null>
  /** Told who it is, where the transport has taken a fresh credential of the same caller. */
  renewals?: Set<(renewed: Context) => void>
  /** Reads the credential again: what the caller is now, or null once it is no longer valid. For long-lived operations. */
  reauthenticate: () => Promise<Context | null>
}

export type Query = <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>

/** What a transaction has emitted, and whom of it callers may be that this node knows. */
export type Emitted = { count: number; callers: string[] }

/** A transaction of several parts: `sqlTransaction` and `sqlStatement` join it. */
export type Open = {
  client: PoolClient
  emitted: Emitted
  /** Until when, as `performance.now` counts, a statement may begin. */
  until: number
  /** Why parts of it have failed. */
  failures: unknown[]
}

/** For how long a transaction of several parts may last. */
export const openMs = 10_000

declare const tx: unique symbol

/** A context inside a transaction. `emit` accepts nothing else. */
export type TxContext = Omit<Context, 'db' | 'sql' | 'shares' | 'replica'> & {
  query: Query
  emitted: Emitted
  [tx]: true
}

/** A transaction on Tendril's own tables, through Prisma. */
export type DbContext = TxContext & { db: Omit<PrismaClient, `$${string}`> }

/** Runs `fn` in one transaction: what it wrote and what it emitted is kept together or not at all. */
export function transaction<T>(ctx: Context, fn: (ctx: DbContext) => Promise<T>): Promise<T> {
  return traced(ctx, (ctx) => prismaTransaction(ctx, fn))
}

async function prismaTransaction<T>(ctx: Context, fn: (ctx: DbContext) => Promise<T>): Promise<T> {
  const emitted: Emitted = { count: 0, callers: [] }
  const result = await ctx.db.$transaction(async (db) => {
    const query: Query = (text, values = []) => db.$queryRawUnsafe(text, ...values)
    return fn({ ...ctx, db, query, emitted } as unknown as DbContext)
  })
  announce(ctx, emitted)
  return result
}

/** A transaction is a span: what it emits is told to follow from it. */
function traced<T>(ctx: Context, work: (ctx: Context) => Promise<T>): Promise<T> {
  if (!ctx.span) return work(ctx)
  return ctx.tracing.span('transaction', ctx.span, (span) => work({ ...ctx, span }))
}

/** Callers that were changed here are read again from the next request on; other nodes hear of it in a moment. */
function announce(ctx: Context, { count, callers }: Emitted): void {
  if (callers.length > 0) ctx.identities.forget(callers)
  const reader = readerOf(ctx)
  if (reader !== null) {
    ctx.replica.wrote(reader)
    ctx.cache.wrote(reader)
  }
  if (count > 0) ctx.wake()
}

/** The same for statements that Prisma does not know, above all on documents. A part of the open transaction, if one is. */
export function sqlTransaction<T>(ctx: Context, fn: (ctx: TxContext) => Promise<T>): Promise<T> {
  if (ctx.open) return joinTransaction(ctx, ctx.open, fn)
  return traced(ctx, (ctx) =>
    runTransaction(ctx, 'begin', (client, emitted) =>
      fn({ ...ctx, query: queryOn(client), emitted } as unknown as TxContext),
    ),
  )
}

/** Opens a transaction that what `fn` writes is part of. Inside of one that is open, it becomes a part of that. */
export function openTransaction<T>(
  ctx: Context,
  { isolation = 'read committed', until = performance.now() + openMs }: { isolation?: string; until?: number },
  fn: (ctx: Context & { open: Open }) => Promise<T>,
): Promise<T> {
  const { open } = ctx
  if (open) return joinTransaction(ctx, open, () => fn({ ...ctx, open }))
  return traced(ctx, (ctx) =>
    runTransaction(ctx, `begin isolation level ${isolation}`, (client, emitted) =>
      fn({ ...ctx, open: { client, emitted, until, failures: [] } }),
    ),
  )
}

/** Runs a part of a transaction: when it fails, no more than itself is taken back. */
async function joinTransaction<T>(ctx: Context, open: Open, fn: (ctx: TxContext) => Promise<T>): Promise<T> {
  const { client, emitted } = open
  await client.query(`set local statement_timeout = ${Math.ceil(leftMs(open))}; savepoint part`)
  try {
    const result = await fn({ ...ctx, query: queryIn(open), emitted } as unknown as TxContext)
    await client.query('release savepoint part')
    return result
  } catch (error) {
    open.failures.push(error)
    // Where this fails, the connection is gone, and with it the transaction.
    await client.query('rollback to savepoint part; release savepoint part').catch(() => {})
    throw error
  }
}

export function queryIn(open: Open): Query {
  return async (text, values) => {
    leftMs(open)
    return queryOn(open.client)(text, values)
  }
}

function leftMs({ until }: Open): number {
  const left = until - performance.now()
  if (left <= 0) throw new LimitExceeded(`A transaction takes ${openMs / 1000} seconds at most.`)
  return left
}

function runTransaction<T>(
  ctx: Context,
  begin: string,
  fn: (client: PoolClient, emitted: Emitted) => Promise<T>,
): Promise<T> {
  return ctx.shares.run(ctx.projectId, () => runOn(ctx, begin, fn))
}

async function runOn<T>(
  ctx: Context,
  begin: string,
  fn: (client: PoolClient, emitted: Emitted) => Promise<T>,
): Promise<T> {
  const client = await ctx.sql.connect()
  const emitted: Emitted = { count: 0, callers: [] }
  try {
    const { patienceMs } = ctx
    await client.query(patienceMs === undefined ? begin : `${begin}; set local lock_timeout = ${patienceMs}`)
    const result = await fn(client, emitted)
    await client.query('commit')
    client.release()
    announce(ctx, emitted)
    return result
  } catch (error) {
    // A connection that cannot roll back is not given back to the pool.
    await client.query('rollback').then(
      () => client.release(),
      (broken) => client.release(broken),
    )
    throw error
  }
}

/** Whoever else names this waits until the transaction is over: what was looked for or counted before stays so. */
export async function takeTurn({ query }: TxContext, name: string): Promise<void> {
  await query('select pg_advisory_xact_lock(hashtextextended($1, 0))::text as locked', [name])
}

/** Whose writes their own reads must show. The system reads what is true now. */
export function readerOf({ projectId, actor, client }: Context): string | null {
  return actor?.kind === 'system' ? null : `${projectId} ${actor?.id ?? client.ip}`
}

/** The same for `fn` that runs one statement, of one text `answer`, which is a transaction by itself unless one is open. */
export function sqlStatement<T>(ctx: Context, fn: (ctx: TxContext) => Promise<T>): Promise<T> {
  if (ctx.open) return joinTransaction(ctx, ctx.open, fn)
  return traced(ctx, (ctx) => runStatement(ctx, fn))
}

async function runStatement<T>(ctx: Context, fn: (ctx: TxContext) => Promise<T>): Promise<T> {
  const emitted: Emitted = { count: 0, callers: [] }
  const query = async (text: string, values: unknown[]) => [{ answer: await answerOf(ctx.sql, text, values) }]
  const tx = { ...ctx, query, emitted } as unknown as TxContext
  const result = await ctx.shares.run(ctx.projectId, () => fn(tx))
  announce(ctx, emitted)
  return result
}

/** A context that may do everything in one project. The log says why. */
export function asSystem(services: Services, reason: string, projectId: string): Context {
  services.log.debug({ reason, projectId }, 'acting as the system')
  const ctx: Context = {
    ...services,
    requestId: reason,
    projectId,
    actor: { kind: 'system', id: reason },
    costLimits: {},
    client: { ip: '', userAgent: '' },
    reauthenticate: async () => ctx,
  }
  return ctx
}

export function queryOn(client: Pool | PoolClient): Query {
  return async (text, values = []) => (await client.query(text, values as unknown[])).rows
}
