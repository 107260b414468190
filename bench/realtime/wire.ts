/** A WebSocket as seen from its client, with as little work as can be: the load shares the machine with what it measures. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export type Wire = { send: (text: string) => void; close: () => void; closed: Promise<number> }

const headEnd = Buffer.from('\r\n\r\n')

/** Opens one. `onText` gets each message where it lies: the bytes are good for as long as the call. */
export function openWire(url: string, onText: (bytes: Buffer, from: number, to: number) => void): Promise<Wire> {
  const { hostname, port, pathname } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    const { promise: closed, resolve: close } = Promise.withResolvers<number>()
    let rest: Buffer | null = null
    let isOpen = false
    socket.once('error', reject)
    socket.once('close', () => {
      close(1006)
      reject(new Error('A socket was closed before it was open.'))
    })
    socket.once('connect', () => socket.write(handshake(hostname, port, pathname)))
    socket.on('data', (bytes: Buffer) => {
      let all = rest ? Buffer.concat([rest, bytes]) : bytes
      if (!isOpen) {
        const end = all.indexOf(headEnd)
        if (end >= 0 && !all.toString('latin1', 0, 12).endsWith('101'))
          reject(new Error(all.toString('latin1', 0, end)))
        rest = all
        if (end < 0) return
        isOpen = true
        all = all.subarray(end + headEnd.length)
        resolve({ send: (text) => socket.write(frame(text)), close: () => socket.destroy(), closed })
      }
      rest = takeFrames(all, socket, onText, close)
    })
  })
}

function handshake(host: string, port: string, path: string): string {
  const key = randomBytes(16).toString('base64')
  return [
    `GET ${path} HTTP/1.1`,
    `host: ${host}:${port}`,
    'upgrade: websocket',
    'connection: upgrade',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${key}`,
    'sec-websocket-protocol: graphql-transport-ws',
    '\r\n',
  ].join('\r\n')
}

/** Takes what is whole, and answers what is left. */
function takeFrames(
  bytes: Buffer,
  socket: Socket,
  onText: (bytes: Buffer, from: number, to: number) => void,
  close: (code: number) => void,
): Buffer | null {
  let at = 0
  while (bytes.length - at >= 2) {
    const short = (bytes[at + 1] ?? 0) & 127
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length - at < head) break
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    const from = at + head
    if (bytes.length < from + length) break
    const opcode = (bytes[at] ?? 0) & 15
    if (opcode === 1) onText(bytes, from, from + length)
    else if (opcode === 8) close(length >= 2 ? bytes.readUInt16BE(from) : 1005)
    else if (opcode === 9) socket.write(frame(bytes.toString('latin1', from, from + length), 10))
    at = from + length
  }
  return at === bytes.length ? null : bytes.subarray(at)
}

/** Masked with zeros, which leaves the text as it is. */
function frame(text: string, opcode = 1): Buffer {
  const bytes = Buffer.from(text)
  const head = bytes.length < 126 ? 6 : 8
  const whole = Buffer.alloc(head + bytes.length)
  whole[0] = 0x80 | opcode
  whole[1] = 0x80 | Math.min(bytes.length, 126)
  if (bytes.length >= 126) whole.writeUInt16BE(bytes.length, 2)
  bytes.copy(whole, head)
  return whole
}
