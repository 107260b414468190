import { type NotificationChannel, type NotificationHandler, toJobId } from 'agenda'
import type { Pubsub } from '../pubsub.ts'

export type Doorbell = {
  /** What Agenda hears it by. */
  channel: NotificationChannel
  /** Has every worker look for jobs of these kinds now. Without Redis its poll finds them. It never fails and is never waited for. */
  ring: (kinds: Iterable<string>) => void
  /** Has this process look for them. */
  look: (kind: string) => void
}

/** Tells every worker over Redis that there is a job, so that it starts without waiting for Agenda's poll. */
export function createDoorbell(pubsub: Pubsub, name: string): Doorbell {
  const subscribers = new Set<NotificationHandler>()
  const look = createRinger(async (jobName) => {
    const notification = { jobId: toJobId(''), jobName, nextRunAt: null, priority: 0, timestamp: new Date() }
    await Promise.allSettled([...subscribers].map(async (tell) => tell(notification)))
  })
  const subscription = pubsub.subscribe(name, (message) => {
    const { jobName } = (message ?? {}) as { jobName?: unknown }
    if (typeof jobName === 'string') look(jobName)
  })
  const ring = (kinds: Iterable<string>) => {
    for (const jobName of kinds) void pubsub.publish(name, JSON.stringify({ jobName }))
  }
  const channel: NotificationChannel = {
    // Not the connection's state: with another one Agenda would not even try to publish.
    state: 'connected',
    connect: async () => {},
    disconnect: async () => {
      subscribers.clear()
      subscription.close()
    },
    subscribe: (tell) => {
      subscribers.add(tell)
      return () => subscribers.delete(tell)
    },
    publish: async ({ jobName }) => ring([jobName]),
    // Neither of its events ever happens.
    on: () => channel,
    off: () => channel,
  }
  return { channel, ring, look }
}

/**
 * Being told of one job, Agenda looks for all of that name. So while it looks, any number of rings for the same name are
 * one more look: a burst of jobs is not a burst of queries from every worker.
 */
function createRinger(tell: (kind: string) => Promise<void>) {
  const looking = new Map<string, boolean>()
  const look = async (kind: string) => {
    for (let again = true; again; again = looking.get(kind) ?? false) {
      looking.set(kind, false)
      await tell(kind)
    }
    looking.delete(kind)
  }
  return (kind: string) => {
    if (looking.has(kind)) looking.set(kind, true)
    else void look(kind)
  }
}
