/** Stands in for a proxy in the network of a build, which has nothing but itself: what comes to it goes to the executor (tunnel.ts). */
import { Buffer } from 'node:buffer'
import { openSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import process from 'node:process'

const target = openSync('/dev/fd/4', 'w')
const sockets = new Map()
let last = 0

/** A connection's number, a length, the bytes; none where it has ended. */
function send(id, bytes) {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(id, 0)
  head.writeUInt32BE(bytes.length, 4)
  const all = Buffer.concat([head, bytes])
  for (let at = 0; at < all.length; ) at += writeSync(target, all, at)
}

const server = createServer((socket) => {
  last += 1
  const id = last
  sockets.set(id, socket)
  socket.on('data', (bytes) => send(id, bytes))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => sockets.delete(id) && send(id, Buffer.alloc(0)))
})
server.listen(3128, '127.0.0.1', () => send(0, Buffer.from('ready')))

let rest = Buffer.alloc(0)
process.stdin.on('data', (bytes) => {
  rest = rest.length ? Buffer.concat([rest, bytes]) : bytes
  while (rest.length >= 8) {
    const end = 8 + rest.readUInt32BE(4)
    if (rest.length < end) break
    const id = rest.readUInt32BE(0)
    const socket = sockets.get(id)
    if (end > 8) socket?.write(rest.subarray(8, end))
    else if (sockets.delete(id)) socket.end()
    rest = rest.subarray(end)
  }
})
process.stdin.on('end', () => process.exit(0))
