import type { channelsOf, Pubsub } from '../../src/platform/pubsub.ts'
import type { Numbered } from './batch.ts'

/** How long numbering waits for Redis. What is published too late or not at all is read from the log. */
const patienceMs = 500
/** A project that moved is named in the heartbeat for so long. */
const movedForMs = 10_000

export type Announcer = {
  /** Puts events that are in the log on their projects' channels, in order. */
  announce: (events: readonly Numbered[]) => Promise<void>
  /** Notes that a project moved, at what time. */
  moved: (projectId: string, seq: string, at: number) => void
  /** The heads of the projects that moved lately: without it, the loss of a last message would never be noticed. */
  heartbeat: () => void
}

export function createAnnouncer(pubsub: Pubsub, channels: ReturnType<typeof channelsOf>): Announcer {
  const heads = new Map<string, { seq: string; at: number }>()

  const announce = async (events: readonly Numbered[]) => {
    if (events.length === 0) return
    const now = Date.now()
    void pubsub.publish(channels.logged, '')
    const sent = events.map((event) => pubsub.publish(channels.project(event.projectId), toMessage(event)))
    for (const event of events) heads.set(event.projectId, { seq: event.seq, at: now })
    await withinPatience(Promise.all(sent))
  }
  const heartbeat = () => {
    const oldest = Date.now() - movedForMs
    for (const [projectId, { at }] of heads) if (at < oldest) heads.delete(projectId)
    const seqs = Object.fromEntries([...heads].map(([projectId, { seq }]) => [projectId, seq]))
    void pubsub.publish(channels.heads, JSON.stringify(seqs))
  }
  return { announce, heartbeat, moved: (projectId, seq, at) => heads.set(projectId, { seq, at }) }
}

/** An event as it goes over Redis. The payload is JSON already. */
export function toMessage({ payload, trace: _trace, ...event }: Numbered): string {
  const fields = JSON.stringify({ ...event, bytes: payload?.length ?? 0 })
  return payload === null ? fields : `${fields.slice(0, -1)},"payload":${payload}}`
}

async function withinPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patienceMs)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
