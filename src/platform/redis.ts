import { Redis, type RedisOptions } from 'ioredis'

export type { Redis }

/** For commands that are not worth a long wait. */
type Quick = Pick<RedisOptions, 'commandTimeout' | 'enableAutoPipelining'>

/** A connection that comes back by itself, and whose commands fail at once while it is away: Redis is never waited for. */
export function createRedis(url: string, options: Quick = {}): Redis {
  const redis = new Redis(url, {
    ...options,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  })
  redis.on('error', () => {})
  return redis
}
