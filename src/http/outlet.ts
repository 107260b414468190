import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { limits } from './limits.ts'

/**
 * Where all messages of a socket leave. What is written in one turn of the event loop goes to the kernel in one piece, and
 * what the other end has not taken is bounded: whoever writes asks first whether there is room.
 */
export type Outlet = {
  hasRoom: () => boolean
  /** Resolves when there is room again: to false if there is none by then, as `performance.now` counts. */
  room: (until: number) => Promise<boolean>
  /** A text message. */
  write: (bytes: Buffer) => void
}

const asText = { binary: false }
const lookMs = 20

export function createOutlet(socket: WebSocket, stream: Duplex): Outlet {
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
    if (socket.readyState !== socket.OPEN) return
    cork()
    held += 1
    socket.send(bytes, asText)
  }
  const room = async (until: number) => {
    while (socket.readyState === socket.OPEN && !hasRoom()) {
      if (performance.now() > until) return false
      await wait(lookMs)
    }
    return true
  }
  return { hasRoom, room, write }
}
