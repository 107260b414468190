import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { CloseCode, handleProtocols, type Server } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Host, Hosts } from '../modules/domains/hosts.ts'
import type { Meter } from '../platform/meter.ts'
import { type Connection, closeSlow, closeSocket, createProtocol, goingAway, type Parts, renew } from './connection.ts'
import { limits } from './limits.ts'
import type { AllowsOrigin } from './origin.ts'
import { createOutlet, type Outlet } from './outlet.ts'
import { projectOf } from './request.ts'
import { createSeats, type Seats } from './seats.ts'

export type Sockets = {
  upgrade: (req: IncomingMessage, stream: Duplex, head: Buffer) => void
  count: () => number
  /** Lets operations in flight finish, then tells everybody to connect elsewhere. */
  close: () => Promise<void>
}

type SocketParts = Parts & { hosts: Hosts; allows: AllowsOrigin; addressOf: (req: IncomingMessage) => string }

const asText = { binary: false }

/** WebSockets at the same URLs as HTTP. */
export function createSockets(parts: SocketParts): Sockets {
  const protocol = createProtocol(parts)
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
    handleProtocols,
  })
  const connections = new Map<WebSocket, Connection>()
  const seats = createSeats(parts.app.env)
  const pings = setInterval(() => server.clients.forEach(ping), limits.socketPingMs)

  const open = (socket: WebSocket, stream: Duplex, req: IncomingMessage, projectId: string) => {
    const { authorization = null, 'user-agent': userAgent = '' } = req.headers
    const ip = parts.addressOf(req)
    const connection: Connection = {
      socket,
      outlet: outletOf(socket, stream, (bytes) => countResult(parts.app.meter, projectId, bytes)),
      projectId,
      ip,
      userAgent: userAgent.slice(0, 512),
      authorization,
      caller: null,
      isKnown: false,
      renewals: new Set(),
      cursor: undefined,
      running: 0,
      end: () => {},
    }
    const leaveSeat = seats.take(ip, projectId)
    connections.set(socket, connection)
    socket.once('close', () => {
      connections.delete(socket)
      leaveSeat()
    })
    attach(connection, protocol, parts)
  }

  return {
    upgrade: (req, stream, head) => {
      stream.on('error', () => stream.destroy())
      const admit = (host: Host | null) => {
        const projectId = projectAt(req, host)
        const refused = refusalOf(req, parts, seats, { projectId, host })
        if (refused !== null || projectId === null) return refuse(stream, refused ?? 404)
        server.handleUpgrade(req, stream, head, (socket) => open(socket, stream, req, projectId))
      }
      parts.hosts.find(req.headers.host).then(admit, () => refuse(stream, 503))
    },
    count: () => connections.size,
    close: async () => {
      clearInterval(pings)
      const deadline = Date.now() + limits.shutdownMs
      const isBusy = () => [...connections.values()].some(({ running }) => running > 0)
      while (isBusy() && Date.now() < deadline) await wait(20)
      for (const socket of server.clients) closeSocket(socket, goingAway, 'The server is going away. Connect again.')
      await Promise.race([allClosed(server), wait(1_000, undefined, { ref: false })])
      for (const socket of server.clients) socket.terminate()
    },
  }
}

function outletOf(socket: WebSocket, stream: Duplex, onSent: (bytes: number) => void): Outlet {
  const send = (bytes: Buffer) => {
    socket.send(bytes, asText)
    onSent(bytes.length)
  }
  return createOutlet({ stream, isOpen: () => socket.readyState === socket.OPEN, send })
}

function countResult(meter: Meter, projectId: string, bytes: number): void {
  meter.count(projectId, 'messages.sent')
  meter.count(projectId, 'bytes.out', bytes)
}

/** A function's domain takes no sockets. */
function projectAt({ url = '' }: IncomingMessage, host: Host | null): string | null {
  if (host?.functionId) return null
  const path = url.split('?', 1)[0] ?? ''
  return host && path === '/graphql' ? host.projectId : projectOf(path)
}

/** The HTTP status with which an upgrade is refused, null when it may go on. */
function refusalOf(
  req: IncomingMessage,
  { allows, isLeaving, addressOf }: SocketParts,
  seats: Seats,
  { projectId, host }: { projectId: string | null; host: Host | null },
): number | null {
  if (isLeaving()) return 503
  if ((req.url ?? '').length > limits.urlBytes) return 414
  if (projectId === null) return 404
  // No origin: not a browser. A browser always says whose page it is, and that page must be allowed, or come from the same domain.
  const { origin } = req.headers
  const isSame = host !== null && origin === `https://${req.headers.host}`
  if (origin !== undefined && !isSame && !allows(origin)) return 403
  return seats.refusal(addressOf(req), projectId)
}

function refuse(stream: Duplex, status: number): void {
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

function attach(connection: Connection, protocol: Server<Connection>, parts: Parts): void {
  const { socket } = connection
  const { log, meter } = parts.app
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (text) => {
        if (connection.isKnown) countSent(meter, connection, text)
        return send(connection, text)
      },
      close: (code = CloseCode.InternalServerError, reason = '') => closeSocket(socket, code, reason),
      onMessage: (receive) =>
        socket.on('message', (bytes) => {
          const text = String(bytes)
          if (connection.isKnown) meter.count(connection.projectId, 'bytes.in', Buffer.byteLength(text))
          receive(text).catch((error) => {
            log.error({ err: error }, 'a socket failed')
            closeSocket(socket, CloseCode.InternalServerError, 'Something went wrong.')
          })
        }),
      onPing: async (payload) => {
        const answer = (await renew(parts, connection, payload)) ?? payload
        await send(connection, JSON.stringify({ type: 'pong', payload: answer }))
      },
    },
    connection,
  )
  alive.add(socket)
  socket.on('pong', () => alive.add(socket))
  // A frame that is too large or no UTF-8: ws closes by itself, with 1009 or 1007.
  socket.on('error', (error) => log.debug({ err: error }, 'a socket broke the protocol'))
  connection.end = () => {
    Promise.resolve(closed()).catch((error) => log.error({ err: error }, 'a subscription did not end'))
  }
  socket.once('close', connection.end)
}

function countSent(meter: Meter, { projectId }: Connection, text: string): void {
  meter.count(projectId, 'bytes.out', Buffer.byteLength(text))
  // The type comes before the payload, and the id before both is short.
  if (text.slice(0, 200).includes('"type":"next"')) meter.count(projectId, 'messages.sent')
}

/** Resolves once the message has left: whoever makes messages waits, and so nothing piles up here. */
function send(connection: Connection, text: string): Promise<void> {
  const { socket } = connection
  return new Promise((resolve) => {
    // Not at once: a source that never waits would keep the event of the closing from ever being handled.
    if (socket.readyState !== socket.OPEN) return setImmediate(resolve)
    const stalled = setTimeout(closeSlow, limits.socketStallMs, connection)
    socket.send(text, () => {
      clearTimeout(stalled)
      resolve()
    })
  })
}

const alive = new WeakSet<WebSocket>()

/** A socket that did not answer the last ping is dead. */
function ping(socket: WebSocket): void {
  if (!alive.delete(socket)) socket.terminate()
  else if (socket.readyState === socket.OPEN) socket.ping()
}

function allClosed(server: WebSocketServer): Promise<unknown> {
  return Promise.all([...server.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
}
