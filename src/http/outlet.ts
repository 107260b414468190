import type { Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { limits } from './limits.ts'

/**
 * Where the payloads of subscriptions leave. What is written in one turn of the event loop goes to the kernel in one piece, and
 * what the other end has not taken is bounded: whoever writes asks first whether there is room.
 */
export type Outlet = {
  hasRoom: () => boolean
  /** Resolves when there is room again: to false if there is none by then, as `performance.now` counts. */
  room: (until: number) => Promise<boolean>
  write: (bytes: Buffer) => void
}

type Options = {
  /** What is written to in the end. */
  stream: Pick<Writable, 'cork' | 'uncork' | 'writableLength'>
  isOpen: () => boolean
  send: (bytes: Buffer) => void
}

const lookMs = 20

export function createOutlet({ stream, isOpen, send }: Options): Outlet {
  let isCorked = false
  /** Messages since the other end had taken all. */
  let held = 0

  const flush = () => {
    if (!isCorked) return
    isCorked = false
    stream.uncork()
  }
  const cork = () => {
    if (isCorked) return
    isCorked = true
    stream.cork()
    process.nextTick(flush)
  }
  const hasRoom = () => {
    if (held < limits.socketBacklogMessages && stream.writableLength <= limits.socketBacklogBytes) return true
    flush()
    if (stream.writableLength === 0) held = 0
    return held < limits.socketBacklogMessages && stream.writableLength <= limits.socketBacklogBytes
  }
  const write = (bytes: Buffer) => {
    if (!isOpen()) return
    cork()
    held += 1
    send(bytes)
  }
  const room = async (until: number) => {
    while (isOpen() && !hasRoom()) {
      if (performance.now() > until) return false
      await wait(lookMs)
    }
    return true
  }
  return { hasRoom, room, write }
}
