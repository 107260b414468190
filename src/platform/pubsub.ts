import grs from 'graphql-redis-subscriptions'
import type { Log } from './log.ts'
import { createRedis, type Redis } from './redis.ts'

const { RedisPubSub } = grs

/**
 * Messages that may be lost: Redis is a doorbell here, and the log in PostgreSQL is what is true. Whoever listens must be
 * able to tell what it missed.
 */
export type Pubsub = {
  /** False at once while Redis is away or does not answer. It never waits and never throws. */
  publish: (channel: string, text: string) => Promise<boolean>
  subscribe: (channel: string, onMessage: (message: unknown) => void) => Subscription
  /** Called each time the subscriptions stand anew after Redis was away: messages are missing. */
  onReconnect: (listener: () => void) => void
  isConnected: () => boolean
  close: () => void
}

export type Subscription = {
  /** Resolves once Redis has confirmed it: everything that is published later arrives, as long as the connection holds. */
  ready: Promise<void>
  close: () => void
}

/** So many messages may wait for an answer before a Redis that is silent counts as away. */
const maxUnanswered = 2_000

/** Where the pieces of the event pipeline meet. `prefix` names the log: `tendril:{epoch}:`. */
export function channelsOf(prefix: string) {
  return {
    project: (id: string) => `${prefix}project:${id}`,
    heads: `${prefix}heads`,
    wake: `${prefix}wake`,
    logged: `${prefix}logged`,
    owed: (job: string) => `${prefix}owed:${job}`,
  }
}

export function createPubsub(url: string, log: Log): Pubsub {
  const publisher = createRedis(url, { enableAutoPipelining: true })
  // Its commands wait until Redis is back, for ever: what is subscribed must be subscribed in the end.
  const subscriber = createRedis(url, { maxRetriesPerRequest: null, enableOfflineQueue: true })
  const engine = new RedisPubSub({
    publisher,
    subscriber: guarded(subscriber, log),
    serializer: (text: string) => text,
    deserializer: parse,
  })
  const reconnected = signalReconnects(subscriber)
  let unanswered = 0

  const publish = async (channel: string, text: string) => {
    if (publisher.status !== 'ready' || unanswered >= maxUnanswered) return false
    unanswered += 1
    return engine
      .publish(channel, text)
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        unanswered -= 1
      })
  }
  const subscribe = (channel: string, onMessage: (message: unknown) => void) => {
    const confirmed = engine.subscribe<unknown>(channel, (message) => {
      try {
        if (message !== undefined) onMessage(message)
      } catch (error) {
        log.error({ err: error, channel }, 'a message could not be taken')
      }
    })
    // Before it is confirmed the engine could not take it back: it would keep half of it and trip over that later.
    const close = () => void confirmed.then((id) => engine.unsubscribe(id))
    return { ready: confirmed.then(() => {}), close }
  }
  const close = () => {
    publisher.disconnect()
    subscriber.disconnect()
  }
  const isConnected = () => subscriber.status === 'ready'
  return { publish, subscribe, onReconnect: (listener) => reconnected.add(listener), isConnected, close }
}

/** What the engine sees of the subscriber: a SUBSCRIBE that is tried until it succeeds, and no rejection left unhandled. */
function guarded(redis: Redis, log: Log): Redis {
  const subscribe = async (channel: string, done: (error: null) => void) => {
    const isClosed = () => redis.status === 'end'
    for (let wait = 100; !isClosed(); wait = Math.min(wait * 2, 5_000)) {
      try {
        await redis.subscribe(channel)
        return done(null)
      } catch (error) {
        if (isClosed()) return
        log.warn({ err: error, channel }, 'Redis refused a subscription')
        await new Promise((resolve) => setTimeout(resolve, wait))
      }
    }
  }
  const unsubscribe = (channel: string) => void redis.unsubscribe(channel).catch(() => {})
  const on = redis.on.bind(redis)
  // Patterns are never used, but the engine ends each subscription as both kinds.
  return { on, subscribe, unsubscribe, punsubscribe: () => {} } as unknown as Redis
}

/** Null for an empty message, undefined for what is not JSON: the engine would hand on the raw text. */
function parse(message: string | Buffer): unknown {
  const text = message.toString()
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `ready` comes when the SUBSCRIBEs have been sent again; the answer to a PING behind them says that they stand. */
function signalReconnects(redis: Redis): Set<() => void> {
  const listeners = new Set<() => void>()
  let before = false
  const announce = () => {
    for (const listener of listeners) listener()
  }
  redis.on('ready', () => {
    if (before) void redis.ping().then(announce, () => {})
    before = true
  })
  return listeners
}
