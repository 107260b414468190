import { type JobNotification, type NotificationChannel, type NotificationHandler, toJobId } from 'agenda'
import type { Pubsub } from '../pubsub.ts'

/**
 * Tells every worker over Redis that there is a job, so that it starts without waiting for Agenda's poll. Without Redis
 * the poll still finds it. It never fails and is never waited for.
 */
export function createDoorbell(pubsub: Pubsub, channel: string): NotificationChannel {
  const subscribers = new Set<NotificationHandler>()
  const ring = createRinger(async (notification) => {
    await Promise.allSettled([...subscribers].map(async (tell) => tell(notification)))
  })
  const subscription = pubsub.subscribe(channel, (message) => {
    const notification = parse(message)
    if (notification) ring(notification)
  })
  const doorbell: NotificationChannel = {
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
    publish: async ({ jobId, jobName, nextRunAt }) => {
      void pubsub.publish(channel, JSON.stringify({ jobId, jobName, nextRunAt }))
    },
    // Neither of its events ever happens.
    on: () => doorbell,
    off: () => doorbell,
  }
  return doorbell
}

/** Has every worker look for jobs of these kinds now. */
export function ringFor(doorbell: NotificationChannel, kinds: Iterable<string>): void {
  for (const jobName of kinds) {
    const notification = { jobId: toJobId(''), jobName, nextRunAt: null, priority: 0, timestamp: new Date() }
    void doorbell.publish(notification)
  }
}

/**
 * Being told of one job, Agenda looks for all of that name. So while it looks, any number of rings for the same name are
 * one more look: a burst of jobs is not a burst of queries from every worker.
 */
function createRinger(tell: (notification: JobNotification) => Promise<void>) {
  const looking = new Map<string, JobNotification | null>()
  const look = async (notification: JobNotification) => {
    const { jobName } = notification
    for (let next: JobNotification | null = notification; next; ) {
      looking.set(jobName, null)
      await tell(next)
      next = looking.get(jobName) ?? null
    }
    looking.delete(jobName)
  }
  return (notification: JobNotification) => {
    const { jobName, nextRunAt } = notification
    const waiting = looking.get(jobName)
    if (waiting === undefined) void look(notification)
    // A job for later must not hide one for now.
    else if (!waiting || (waiting.nextRunAt ?? 0) > (nextRunAt ?? 0)) looking.set(jobName, notification)
  }
}

function parse(message: unknown): JobNotification | null {
  if (typeof message !== 'object' || message === null || !('jobName' in message)) return null
  const { jobId, jobName, nextRunAt } = message as { jobId?: unknown; jobName: unknown; nextRunAt?: unknown }
  const at = typeof nextRunAt === 'string' ? new Date(nextRunAt) : null
  return { jobId: toJobId(String(jobId)), jobName: String(jobName), nextRunAt: at, priority: 0, timestamp: new Date() }
}
