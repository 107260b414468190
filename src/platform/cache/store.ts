import { createKeys } from '../redis.ts'

/** Texts in Redis, for as long as it likes to keep them. Nothing waits for it long, and nothing fails by it. */
export type Store = {
  /** Null for what is not there, and while Redis is away or slow. */
  get: (key: string) => Promise<string | null>
  set: (key: string, text: string, seconds: number) => void
  close: () => void
}

export const storeLimits = {
  /** An answer that comes later than this is not waited for. */
  waitMs: 50,
  /** How long nothing is asked of a Redis that has failed. */
  restMs: 250,
} as const

export function createStore(url: string): Store {
  const redis = createKeys(url, { commandTimeout: storeLimits.waitMs, enableAutoPipelining: true })
  let restsUntil = 0
  const isUsable = () => redis.status === 'ready' && performance.now() > restsUntil
  const rest = () => {
    restsUntil = performance.now() + storeLimits.restMs
    return null
  }
  return {
    get: async (key) => (isUsable() ? redis.get(key).catch(rest) : null),
    set: (key, text, seconds) => {
      if (isUsable()) redis.set(key, text, 'EX', seconds).catch(rest)
    },
    close: () => redis.disconnect(),
  }
}
