import { MongoClient } from 'mongodb'
import type { App } from './app.ts'
import { createRedis } from './platform/redis.ts'
import type { ExecutorState } from './platform/sandbox.ts'

/** How one of the servers is. Nothing here says where it is or which: anybody may ask. */
export type Dependency = {
  status: 'ok' | 'unavailable'
  /** How long it took to answer, null when it did not. */
  latencyMs: number | null
  lastError: { message: string; at: string } | null
}

export type Readiness = {
  status: 'ready' | 'degraded' | 'unavailable'
  postgres: Dependency
  redis: Dependency
  /** Where jobs are kept. */
  queue: Dependency
  /** Whether events come from the outbox to the log in time. */
  events: Dependency
  /** Each of the executors of functions, where there are any. */
  executors?: ExecutorState[]
}

export type Health = { ready: () => Promise<Readiness>; close: () => Promise<void> }

const timeoutMs = 2_000

/** An event that has waited for so long is late. */
const lateMs = 10_000

/**
 * What a load balancer asks. Without PostgreSQL nothing can be answered. Without anything else everything is, and only what
 * happens later comes late, so a node is then degraded but ready: to take all of them away would make it worse.
 */
export function createHealth({
  env,
  sql,
  clock,
  sandbox,
}: Pick<App, 'env' | 'sql' | 'clock'> & Partial<Pick<App, 'sandbox'>>): Health {
  const redis = createRedis(env.REDIS_URL)
  const mongo = env.MONGODB_URL
    ? new MongoClient(env.MONGODB_URL, { serverSelectionTimeoutMS: timeoutMs, maxPoolSize: 1 })
    : null
  const look = {
    postgres: watch(clock, () => sql.query('select 1')),
    redis: watch(clock, () => redis.ping()),
    queue: mongo && watch(clock, () => mongo.db().command({ ping: 1 })),
    events: watch(clock, async () => {
      const query =
        "select clock_timestamp() - at > $1 * interval '1 ms' as late from events.outbox order by position limit 1"
      const { rows } = await sql.query<{ late: boolean }>(query, [lateMs])
      if (rows[0]?.late) throw new Late()
    }),
  }
  const lookAround = async (): Promise<Readiness> => {
    const [postgres, onRedis, onMongo, events] = await Promise.all([
      look.postgres(),
      look.redis(),
      look.queue?.(),
      look.events(),
    ])
    const queue = onMongo ?? postgres
    const executors = sandbox?.executors() ?? []
    const others = [onRedis, queue, events, ...executors].every(({ status }) => status === 'ok')
    const status = postgres.status === 'unavailable' ? 'unavailable' : others ? 'ready' : 'degraded'
    return { status, postgres, redis: onRedis, queue, events, ...(executors.length > 0 && { executors }) }
  }
  let looking: Promise<Readiness> | null = null
  return {
    // Anybody may ask: one look answers all who do meanwhile, and takes no more connections than that.
    ready: () => {
      looking ??= lookAround().finally(() => {
        looking = null
      })
      return looking
    },
    close: async () => {
      redis.disconnect()
      await mongo?.close()
    },
  }
}

class Late extends Error {}

/** Asks a server whether it is there, and remembers what it last failed with. */
function watch(clock: () => Date, ask: () => Promise<unknown>): () => Promise<Dependency> {
  let lastError: Dependency['lastError'] = null
  return async () => {
    const begun = performance.now()
    const late = new Promise<null>((resolve) => setTimeout(resolve, timeoutMs, null).unref())
    const failed = await Promise.race([ask().then(() => '', inWords), late])
    if (failed === '') return { status: 'ok', latencyMs: Math.round(performance.now() - begun), lastError }
    lastError = { message: failed ?? 'It did not answer in time.', at: clock().toISOString() }
    return { status: 'unavailable', latencyMs: null, lastError }
  }
}

/** Not the driver's own words, which name addresses. */
function inWords(error: unknown): string {
  if (error instanceof Late) return `Events have waited for the relay for more than ${lateMs / 1000} seconds.`
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ECONNREFUSED' ? 'The connection was refused.' : 'It cannot be used.'
}
