import { Redis } from 'ioredis'

export type { Redis }

/** A connection that comes back by itself, and whose commands fail at once while it is away: Redis is never waited for. */
export function createRedis(url: string): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  })
  redis.on('error', () => {})
  return redis
}
