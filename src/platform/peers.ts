import { randomUUID } from 'node:crypto'
import { Unavailable } from '../errors.ts'
import type { Log } from './log.ts'
import { createPubsub, type Subscription } from './pubsub.ts'
import { createRedis } from './redis.ts'

/** What the nodes of one Tendril know of each other, through Redis: it is gone with the node that said it. */
export type Peers = {
  /** Names this node. */
  node: string
  /** Shows an entry of a group to all nodes until it is removed, or this node has been silent for `entryTtlMs`. */
  put: (group: string, id: string, value: object) => void
  remove: (group: string, id: string) => void
  /** The entries of all nodes. Throws Unavailable while Redis is away. */
  list: (group: string) => Promise<Map<string, unknown>>
  /** Sends a message to every node that listens, this one included. Throws Unavailable while Redis is away. */
  tell: (channel: string, message: object) => Promise<void>
  listen: (channel: string, onMessage: (message: unknown) => void) => Subscription
  isConnected: () => boolean
  close: () => Promise<void>
}

/** How long entries outlive a node that died, and how often a node that lives says so. */
export const entryTtlMs = 15_000
const beatMs = 5_000

type Options = { redisUrl: string; prefix: string; log: Log; ttlMs?: number }

export function createPeers({ redisUrl, prefix, log, ttlMs = entryTtlMs }: Options): Peers {
  const node = randomUUID()
  const redis = createRedis(redisUrl, { enableAutoPipelining: true })
  const pubsub = createPubsub(redisUrl, log)
  const own = new Map<string, Map<string, string>>()
  const nodesKey = (group: string) => `${prefix}${group}`
  const entriesKey = (group: string, of: string) => `${prefix}${group}:${of}`

  const send = async (group: string, entries: Iterable<readonly [string, string]>) => {
    const flat = [...entries].flat()
    if (flat.length === 0) return
    const key = entriesKey(group, node)
    await Promise.all([
      redis.hset(key, ...flat),
      redis.pexpire(key, ttlMs),
      redis.sadd(nodesKey(group), node),
      redis.pexpire(nodesKey(group), ttlMs * 2),
    ])
  }
  const sendAll = async () => {
    for (const [group, entries] of own) await send(group, entries)
  }
  /** An entry that Redis has lost is said again with the others. */
  const beat = async () => {
    for (const [group, entries] of own) {
      const isThere = await redis.pexpire(entriesKey(group, node), ttlMs)
      await send(group, isThere ? [...entries].slice(0, 1) : entries)
    }
  }
  // Redis is away: said again when it is back.
  const quietly = (work: Promise<unknown>) => void work.catch((error) => log.debug({ err: error }, 'Redis is away'))
  redis.on('ready', () => quietly(sendAll()))
  const timer = setInterval(() => quietly(beat()), Math.min(beatMs, ttlMs / 3)).unref()

  const put = (group: string, id: string, value: object) => {
    const text = JSON.stringify(value)
    own.set(group, (own.get(group) ?? new Map()).set(id, text))
    quietly(send(group, [[id, text]]))
  }
  const remove = (group: string, id: string) => {
    const entries = own.get(group)
    if (!entries?.delete(id)) return
    if (entries.size === 0) own.delete(group)
    quietly(redis.hdel(entriesKey(group, node), id))
  }
  const list = async (group: string) => {
    try {
      const nodes = await redis.smembers(nodesKey(group))
      const found = await Promise.all(nodes.map((one) => redis.hgetall(entriesKey(group, one))))
      return new Map(found.flatMap((entries) => Object.entries(entries)).map(([id, text]) => [id, JSON.parse(text)]))
    } catch (cause) {
      throw new Unavailable('Redis is away: the other nodes cannot be asked.', { cause })
    }
  }
  const tell = async (channel: string, message: object) => {
    if (await pubsub.publish(`${prefix}${channel}`, JSON.stringify(message))) return
    throw new Unavailable('Redis is away: the other nodes cannot be told.')
  }
  const close = async () => {
    clearInterval(timer)
    await Promise.all([...own.keys()].map((group) => redis.del(entriesKey(group, node)))).catch(() => {})
    redis.disconnect()
    pubsub.close()
  }
  const listen: Peers['listen'] = (channel, onMessage) => pubsub.subscribe(`${prefix}${channel}`, onMessage)
  return { node, put, remove, list, tell, listen, isConnected: pubsub.isConnected, close }
}
