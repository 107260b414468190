import type { App } from './app.ts'
import { createRedis } from './platform/redis.ts'

type State = 'ok' | 'unavailable'

export type Readiness = { status: 'ready' | 'degraded' | 'unavailable'; postgres: State; redis: State }

export type Health = { ready: () => Promise<Readiness>; close: () => void }

const timeoutMs = 2_000

/**
 * What a load balancer asks. Without PostgreSQL nothing can be answered. Without Redis everything is, and only the events
 * of subscriptions come late, so a node is then degraded but ready: to take all of them away would make it worse.
 */
export function createHealth({ env, sql }: Pick<App, 'env' | 'sql'>): Health {
  const redis = createRedis(env.REDIS_URL)
  return {
    ready: async () => {
      const [postgres, redisState] = await Promise.all([stateOf(sql.query('select 1')), stateOf(redis.ping())])
      const status = postgres === 'unavailable' ? 'unavailable' : redisState === 'ok' ? 'ready' : 'degraded'
      return { status, postgres, redis: redisState }
    },
    close: () => redis.disconnect(),
  }
}

async function stateOf(work: Promise<unknown>): Promise<State> {
  const late = new Promise<State>((resolve) => setTimeout(resolve, timeoutMs, 'unavailable').unref())
  const done = work.then(
    (): State => 'ok',
    (): State => 'unavailable',
  )
  return Promise.race([done, late])
}
