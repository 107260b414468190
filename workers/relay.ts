import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Services } from '../src/context.ts'
import { channelsOf, createPubsub, type Pubsub } from '../src/platform/pubsub.ts'
import { batchSize, ensurePartitions, hasWork, prepareRelay, relayBatch } from './relay/batch.ts'
import { endFrozenLeader, tryLead } from './relay/leadership.ts'
import { type Announcer, createAnnouncer } from './relay/publish.ts'

export { type Trimmed, trimLog } from './relay/trim.ts'

export type Relay = {
  /** Finishes the batch at hand and gives up the lead. */
  stop: () => Promise<void>
  isLeader: () => boolean
}

const pollMs = 250
const standbyMs = 200
const partitionsEveryMs = 3_600_000

/**
 * Moves committed events from the outbox to the log, gives them their numbers and announces them. Any number may run; one
 * leads, and the others take over when it dies, or when it is frozen. Nothing that it meets ends the process.
 */
export function startRelay(services: Services): Relay {
  const { log, tails, env } = services
  const channels = channelsOf(`tendril:${tails.epoch}:`)
  const pubsub = createPubsub(env.REDIS_URL, log)
  const stopping = new AbortController()
  const bell = createBell(pubsub, channels.wake)
  let leading = false

  const serve = async (client: pg.Client) => {
    while (!(await tryLead(client))) {
      if (await endFrozenLeader(client)) log.warn('ended the session of a relay that was frozen')
      else await sleep(standbyMs, undefined, { signal: stopping.signal })
    }
    const announcer = createAnnouncer(pubsub, channels)
    await prepareRelay(client)
    await recallHeads(client, announcer)
    leading = true
    log.info('relay leads')
    await lead(client, announcer, bell, stopping.signal)
  }
  const run = async () => {
    for (let wait = 100; !stopping.signal.aborted; wait = Math.min(wait * 2, 2_000)) {
      const client = connection(env.DATABASE_URL)
      try {
        await client.connect()
        await serve(client)
      } catch (error) {
        if (stopping.signal.aborted) break
        log.warn({ err: error }, leading ? 'relay lost the lead' : 'relay cannot work yet')
        if (leading) wait = 100
        await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {})
      } finally {
        leading = false
        // A server that is gone would be waited for for ever.
        await Promise.race([client.end().catch(() => {}), sleep(1_000)])
      }
    }
  }
  const done = run()
  const stop = async () => {
    stopping.abort()
    bell.ring()
    await done
    bell.close()
    pubsub.close()
  }
  return { stop, isLeader: () => leading }
}

/** A session of its own: the lock that makes it the leader lives and dies with it, and so does all its work. */
function connection(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tendril-relay',
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    query_timeout: 15_000,
  })
  // Its queries fail besides, and say so.
  client.on('error', () => {})
  return client
}

async function lead(client: pg.Client, announcer: Announcer, bell: Bell, signal: AbortSignal): Promise<void> {
  const heartbeat = setInterval(announcer.heartbeat, pollMs)
  let partitionsAt = Date.now()
  let announced = Promise.resolve()
  try {
    while (!signal.aborted) {
      const rung = bell.hasRung()
      const events = rung || (await hasWork(client)) ? await relayBatch(client) : []
      // While one batch is announced the next is numbered, no further.
      await announced
      announced = announcer.announce(events)
      if (Date.now() - partitionsAt > partitionsEveryMs) {
        await ensurePartitions(client)
        partitionsAt = Date.now()
      }
      if (events.length === batchSize) bell.ring()
      else await bell.wait(pollMs)
    }
    await announced
  } finally {
    clearInterval(heartbeat)
  }
}

/** What the leader before us may have numbered and not announced. */
async function recallHeads(client: pg.Client, announcer: Announcer): Promise<void> {
  const { rows } = await client.query<{ projectId: string; seq: string; movedAt: Date }>(
    `select "projectId", seq, "movedAt" from events.project_heads where "movedAt" > now() - interval '10 seconds'`,
  )
  for (const row of rows) announcer.moved(row.projectId, row.seq, Date.now())
}

type Bell = { ring: () => void; hasRung: () => boolean; wait: (ms: number) => Promise<void>; close: () => void }

/** Rung by the processes that emit. A ring during a batch is remembered for the next. */
function createBell(pubsub: Pubsub, channel: string): Bell {
  let rung = true
  let wake = () => {}
  const ring = () => {
    rung = true
    wake()
  }
  const hasRung = () => {
    const was = rung
    rung = false
    return was
  }
  const wait = async (ms: number) => {
    if (rung) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  const subscription = pubsub.subscribe(channel, ring)
  return { ring, hasRung, wait, close: subscription.close }
}
