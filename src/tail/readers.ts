import type { Log as Logger } from '../platform/log.ts'
import type { channelsOf, Pubsub, Subscription } from '../platform/pubsub.ts'
import { watchHeads } from './heads.ts'
import { isMessage, type Log } from './log.ts'
import { createReader, type Reader } from './reader.ts'

export type Readers = {
  /** The project's reader, opened if need be, kept until every holder has let go of it. */
  acquire: (projectId: string) => Promise<{ reader: Reader; release: () => void }>
  /** Asks the log how far these projects have come, and tells their readers. */
  check: (projectIds: readonly string[]) => Promise<void>
  /** Resolves when Redis is there, or after a moment without it. */
  ready: Promise<void>
  close: () => void
}

type Options = {
  source: Log
  pubsub: Pubsub
  log: Logger
  channels: ReturnType<typeof channelsOf>
  lingerMs: number
}

type Held = { reader: Reader; subscription: Subscription }
type Slot = { opened: Promise<Held>; holders: number; linger: NodeJS.Timeout | undefined }

/** How long a new reader waits for Redis to confirm; whatever it misses later, the heads tell it. */
const confirmMs = 300

export function createReaders({ source, pubsub, log, channels, lingerMs }: Options): Readers {
  const slots = new Map<string, Slot>()
  const readers = new Map<string, Reader>()
  const heads = watchHeads({
    ...{ source, pubsub, log, channel: channels.heads },
    projectIds: () => [...readers.keys()],
    onHead: (projectId, seq) => readers.get(projectId)?.onHead(seq),
  })

  /** Subscribes first, then reads the head: what comes between the two is in both, never in neither. */
  const open = async (projectId: string): Promise<Held> => {
    const subscription = pubsub.subscribe(channels.project(projectId), (message) => {
      if (isMessage(message) && message.projectId === projectId) readers.get(projectId)?.onMessage(message)
    })
    try {
      if (pubsub.isConnected()) await Promise.race([subscription.ready, wait(confirmMs)])
      const head = (await source.heads([projectId])).get(projectId) ?? 0n
      const reader = createReader({ projectId, head, source, log })
      readers.set(projectId, reader)
      subscription.ready.then(() => heads.check([projectId])).catch(() => {})
      return { reader, subscription }
    } catch (error) {
      subscription.close()
      throw error
    }
  }
  const drop = (projectId: string, slot: Slot) => {
    if (slots.get(projectId) !== slot) return
    slots.delete(projectId)
    clearTimeout(slot.linger)
    slot.opened
      .then(({ reader, subscription }) => {
        if (readers.get(projectId) === reader) readers.delete(projectId)
        subscription.close()
        reader.close()
      })
      .catch(() => {})
  }
  const release = (projectId: string, slot: Slot) => {
    slot.holders -= 1
    if (slot.holders === 0) slot.linger = setTimeout(() => drop(projectId, slot), lingerMs).unref()
  }
  const acquire = async (projectId: string) => {
    const slot = slots.get(projectId) ?? { opened: open(projectId), holders: 0, linger: undefined }
    slots.set(projectId, slot)
    clearTimeout(slot.linger)
    slot.holders += 1
    const held = await slot.opened.catch((error) => {
      drop(projectId, slot)
      throw error
    })
    if (!held.reader.isClosed()) return { reader: held.reader, release: once(() => release(projectId, slot)) }
    drop(projectId, slot)
    return acquire(projectId)
  }
  const close = () => {
    heads.close()
    for (const [projectId, slot] of slots) drop(projectId, slot)
  }
  return { acquire, check: heads.check, ready: Promise.race([heads.ready, wait(confirmMs)]), close }
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (!done) run()
    done = true
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
