import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { parseRedisServers, type RedisServers } from '../lib/redis-url.ts'

export type { Redis }

type Options = Pick<
  RedisOptions,
  'maxRetriesPerRequest' | 'enableOfflineQueue' | 'enableAutoPipelining' | 'commandTimeout'
>

/** What asks by key: in a cluster, the node that has it. */
export type Keys = Pick<Redis, 'get' | 'set' | 'disconnect'> & { status: string }

/** Commands fail at once while it is away: Redis is never waited for. */
const impatient = { maxRetriesPerRequest: 0, enableOfflineQueue: false } as const

/**
 * A connection that comes back by itself: to the server, to the master that the sentinels name, or to any one node of a
 * cluster, which is all that messages need (docs/decisions/0019). When that node is lost, the next one is taken.
 */
export function createRedis(url: string, options: Options = {}): Redis {
  const servers = parseRedisServers(url)
  const all = { ...impatient, ...options }
  const redis = servers ? openOneOf(servers, all) : new Redis(url, { ...all, retryStrategy: pause })
  redis.on('error', () => {})
  return redis
}

/** The same for keys. */
export function createKeys(url: string, options: Options = {}): Keys {
  const servers = parseRedisServers(url)
  if (!servers || servers.master !== null) return createRedis(url, options)
  const { enableAutoPipelining = false, ...redisOptions } = { ...impatient, ...options }
  const cluster = new Cluster([...servers.nodes], {
    redisOptions: { ...redisOptions, ...optionsOf(servers) },
    enableAutoPipelining,
    enableOfflineQueue: false,
    clusterRetryStrategy: pause,
    // What fails has failed; where the keys are now is found out besides.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshInterval: 1_000,
  })
  cluster.on('error', () => {})
  return cluster
}

/** The version of the first server that answers. Throws why the last one did not. */
export async function findRedisVersion(url: string): Promise<string> {
  const once = { lazyConnect: true, retryStrategy: () => null, sentinelRetryStrategy: () => null }
  const servers = parseRedisServers(url)
  if (!servers) return versionAt(new Redis(url, { ...once, connectTimeout: 5_000 }))
  let reason: unknown
  for (const node of servers.nodes) {
    try {
      return await versionAt(new Redis({ ...optionsOf({ ...servers, nodes: [node] }), ...once }))
    } catch (error) {
      reason = error
    }
  }
  throw reason
}

async function versionAt(redis: Redis): Promise<string> {
  let reason: Error | undefined
  redis.on('error', (error) => {
    reason = error
  })
  try {
    await redis.connect()
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '0'
  } catch (error) {
    throw reason ?? error
  } finally {
    redis.disconnect()
  }
}

function openOneOf(servers: RedisServers, options: Options): Redis {
  const { nodes, master } = servers
  let next = Math.floor(Math.random() * nodes.length)
  const node = () => (master === null ? nodes[next++ % nodes.length] : {})
  const redis: Redis = new Redis({
    ...options,
    ...optionsOf(servers),
    ...node(),
    retryStrategy: (attempt) => {
      // It is to connect again, and looks here where to.
      Object.assign(redis.options, node())
      return pause(attempt)
    },
  })
  return redis
}

/** What one connection to them needs: to a cluster, its first node. */
function optionsOf({ nodes, master, username, password, tls }: RedisServers) {
  const all = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectTimeout: 2_000,
  }
  if (master === null) return { ...all, ...nodes[0] }
  return {
    ...all,
    sentinels: [...nodes],
    name: master,
    // Theirs is the same, if they have one.
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: 1_000,
    sentinelRetryStrategy: pause,
  }
}

function pause(attempt: number): number {
  return Math.min(50 * attempt, 500)
}
