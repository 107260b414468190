/** A bare `ws` server that sends the same bytes to all, as fast as it is told: what there is to be compared with. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { beginPart, tell } from '../parts.ts'
import { atRate } from './rate.ts'

/** `message` has `TITLE` where the number and the time go. */
export type Broadcast = { message: string; perSecond: number; seconds: number; from: number }

beginPart()
const http = createServer()
const server = new WebSocketServer({
  server: http,
  perMessageDeflate: false,
  handleProtocols: () => 'graphql-transport-ws',
})
const sockets = new Set<WebSocket>()
server.on('connection', (socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
})
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))

process.on('message', async ({ message, perSecond, seconds, from }: Broadcast) => {
  let number = from
  await atRate(perSecond, seconds, async (due) => {
    for (const at of due) {
      const text = message.replace('TITLE', `${number}@${at}@-1`)
      for (const socket of sockets) socket.send(text)
      number += 1
    }
  })
  tell({ sent: number - from })
})
tell({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/` })
