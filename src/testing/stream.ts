import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { z } from 'zod'
import { type Numbered, prepareRelay, relayBatch } from '../../workers/relay/batch.ts'
import { toMessage } from '../../workers/relay/publish.ts'
import { type Context, sqlTransaction } from '../context.ts'
import { defineEvent, emit } from '../event.ts'
import type { LoggedEvent } from '../logged-event.ts'
import { channelsOf, createPubsub } from '../platform/pubsub.ts'
import type { World } from './world.ts'

/** An event that only tests know: `n` counts what happened to `thing`. */
export const tick = defineEvent({
  name: 'ticks.created',
  description: 'A test did something.',
  payload: z.object({ thing: z.string(), n: z.number().int(), pad: z.string().optional() }),
  path: (p) => ['ticks', p.thing],
})

export type Tick = z.output<typeof tick.payload>

/** Emits so many events, each in a transaction of its own. */
export async function tickTimes(ctx: Context, thing: string, from: number, times: number, pad?: string): Promise<void> {
  for (let n = from; n < from + times; n++) {
    const payload = pad === undefined ? { thing, n } : { thing, n, pad }
    await sqlTransaction(ctx, (tx) => emit(tx, tick, payload))
  }
}

/** The next events of a stream. Fails after `withinMs` without one. */
export async function take(
  events: AsyncIterator<LoggedEvent>,
  count: number,
  withinMs = 5_000,
): Promise<LoggedEvent[]> {
  const taken: LoggedEvent[] = []
  while (taken.length < count) {
    const next = await within(events.next(), withinMs, `only ${taken.length} of ${count} events came`)
    if (next.done) throw new Error(`The stream was over after ${taken.length} of ${count} events.`)
    taken.push(next.value)
  }
  return taken
}

export async function within<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${ms} ms`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

export type HandRelay = {
  /** Moves everything from the outbox to the log, and publishes nothing. */
  number: () => Promise<Numbered[]>
  publish: (events: readonly Numbered[]) => Promise<void>
  heartbeat: (heads: Record<string, string>) => Promise<void>
  close: () => Promise<void>
}

/** The relay by hand, so that a test can lose messages. */
export async function relayByHand({ app }: World, redisUrl = app.env.REDIS_URL): Promise<HandRelay> {
  const client = new pg.Client({ connectionString: app.env.DATABASE_URL })
  // A world that closes ends its sessions.
  client.on('error', () => {})
  await client.connect()
  await prepareRelay(client)
  const channels = channelsOf(`tendril:${app.tails.epoch}:`)
  const pubsub = createPubsub(redisUrl, app.log)
  const send = async (channel: string, text: string) => {
    while (!(await pubsub.publish(channel, text))) await sleep(10)
  }
  const number = async () => {
    const events: Numbered[] = []
    for (let batch = await relayBatch(client); batch.length > 0; batch = await relayBatch(client)) events.push(...batch)
    return events
  }
  const publish = async (events: readonly Numbered[]) => {
    for (const event of events) await send(channels.project(event.projectId), toMessage(event))
  }
  const heartbeat = (heads: Record<string, string>) => send(channels.heads, JSON.stringify(heads))
  const close = async () => {
    pubsub.close()
    await client.end()
  }
  return { number, publish, heartbeat, close }
}

export const numbersOf = (events: readonly LoggedEvent[]) => events.map(({ payload }) => tick.payload.parse(payload).n)

export const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)
