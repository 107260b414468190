/** Frames in and out of a tenant's process, on its file 3. */
import { writeSync } from 'node:fs'
import { createDecoder, encodeFrame, type Frame } from '../../protocol.ts'
import type { FromSandbox, Send, ToSandbox } from '../messages.ts'
import { nodeNet } from './later.ts'

const fd = 3
/** For so long the last words wait for room. */
const lastMs = 100

export type Pipe = {
  send: Send
  /** Sends at once, whatever else waits: the last words of a process. */
  sendLast: (head: FromSandbox) => void
}

/** Without a JIT the streams of Node cost more than the frames: bytes are read past them, and written once a turn. */
export function openPipe(take: (frame: Frame<ToSandbox>) => void): Pipe {
  const decode = createDecoder<ToSandbox>()
  const read = (size: number, buffer: Uint8Array) => {
    // The buffer is used again, and frames are kept.
    for (const frame of decode(Buffer.from(buffer.subarray(0, size)))) take(frame)
    return true
  }
  const onread = { buffer: Buffer.allocUnsafe(64 * 1024), callback: read }
  const options = { fd, readable: true, writable: true, onread }
  const { Socket } = nodeNet()
  const socket = new Socket(options)
  // Without the supervisor there is nothing to do here.
  socket.on('close', () => process.exit(0))
  socket.on('error', () => process.exit(1))
  let waiting: Buffer[] = []

  function flush(): void {
    const [first, ...more] = waiting
    waiting = []
    if (first) socket.write(more.length === 0 ? first : Buffer.concat([first, ...more]))
  }

  return {
    send(head, body) {
      if (waiting.push(encodeFrame(head, body)) === 1) setImmediate(flush)
    },
    sendLast(head) {
      const bytes = Buffer.concat([...waiting, encodeFrame(head)])
      const end = performance.now() + lastMs
      for (let sent = 0; sent < bytes.length && performance.now() < end; ) {
        try {
          sent += writeSync(fd, bytes, sent)
        } catch (error) {
          // There is no room yet. Otherwise the supervisor sees that the process is gone.
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
        }
      }
    },
  }
}
