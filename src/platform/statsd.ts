import { StatsD } from 'hot-shots'
import type { Log } from './log.ts'
import type { Counted } from './meter.ts'

/** Hands numbers to whoever collects them, over UDP: some may be lost, and nothing waits for them. */
export type Statsd = {
  add: (counted: readonly Counted[]) => void
  /** How much there is of something now. */
  set: (counted: readonly Counted[]) => void
  close: () => Promise<void>
}

/** Their names begin so, and each has the project for a tag. */
export const statsdPrefix = 'tendril.'

/** Without a `url`, `udp://host:port`, there is nobody to tell. */
export function createStatsd(url: string | undefined, log: Log): Statsd {
  if (!url) return { add: () => {}, set: () => {}, close: async () => {} }
  const { hostname: host, port } = new URL(url)
  const client = new StatsD({
    host,
    port: Number(port || 8125),
    prefix: statsdPrefix,
    includeDataDogTags: false,
    // Well within one packet of any network.
    maxBufferSize: 1_400,
    errorHandler: (error) => log.debug({ err: error }, 'usage could not be handed on'),
  })
  return {
    add: (counted) => {
      for (const { projectId, metric, value } of counted) client.increment(metric, value, { project: projectId })
    },
    set: (counted) => {
      for (const { projectId, metric, value } of counted) client.gauge(metric, value, { project: projectId })
    },
    close: () => new Promise((resolve) => client.close(() => resolve())),
  }
}
