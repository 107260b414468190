import { type JobNotification, type NotificationChannel, type NotificationHandler, toJobId } from 'agenda'
import type { Pubsub } from '../pubsub.ts'

/**
 * Tells every worker over Redis that there is a job, so that it starts without waiting for Agenda's poll. Without Redis
 * the poll still finds it. It never fails and is never waited for.
 */
export function createDoorbell(pubsub: Pubsub, channel: string): NotificationChannel {
  const subscribers = new Set<NotificationHandler>()
  const subscription = pubsub.subscribe(channel, (message) => {
    const notification = parse(message)
    if (notification) for (const tell of subscribers) void Promise.resolve(tell(notification)).catch(() => {})
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

function parse(message: unknown): JobNotification | null {
  if (typeof message !== 'object' || message === null || !('jobName' in message)) return null
  const { jobId, jobName, nextRunAt } = message as { jobId?: unknown; jobName: unknown; nextRunAt?: unknown }
  const at = typeof nextRunAt === 'string' ? new Date(nextRunAt) : null
  return { jobId: toJobId(String(jobId)), jobName: String(jobName), nextRunAt: at, priority: 0, timestamp: new Date() }
}
