import type pg from 'pg'
import type { Services } from '../src/context.ts'
import { channelsOf, createPubsub } from '../src/platform/pubsub.ts'
import { type Bell, createBell } from './bell.ts'
import { type Leadership, startLeading } from './leadership.ts'
import { batchSize, ensurePartitions, hasWork, type Numbered, prepareRelay, relayBatch } from './relay/batch.ts'
import { type Announcer, createAnnouncer } from './relay/publish.ts'
import { noteTraces } from './relay/traces.ts'

export { type Trimmed, trimLog } from './relay/trim.ts'

export type Relay = Leadership

const pollMs = 250
const partitionsEveryMs = 3_600_000

/**
 * Moves committed events from the outbox to the log, gives them their numbers and announces them. The session that makes
 * the relay the leader does all its work, so who has lost the one cannot do the other.
 */
export function startRelay(services: Services): Relay {
  const { log, tails, env, tracing } = services
  const channels = channelsOf(`tendril:${tails.epoch}:`)
  const pubsub = createPubsub(env.REDIS_URL, log)
  const bell = createBell(pubsub, channels.wake)
  const leadership = startLeading(services, 'relay', async (client, signal) => {
    const announcer = createAnnouncer(pubsub, channels)
    await prepareRelay(client)
    await recallHeads(client, announcer)
    await lead(client, announcer, bell, signal, (events) => noteTraces(tracing, 'relay', events))
  })
  const stop = async () => {
    const stopped = leadership.stop()
    bell.ring()
    await stopped
    bell.close()
    pubsub.close()
  }
  return { stop, isLeader: leadership.isLeader }
}

async function lead(
  client: pg.Client,
  announcer: Announcer,
  bell: Bell,
  signal: AbortSignal,
  onNumbered: (events: readonly Numbered[]) => void,
): Promise<void> {
  const heartbeat = setInterval(announcer.heartbeat, pollMs)
  let partitionsAt = Date.now()
  let announced = Promise.resolve()
  try {
    while (!signal.aborted) {
      const rung = bell.hasRung()
      const events = rung || (await hasWork(client)) ? await relayBatch(client) : []
      onNumbered(events)
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
