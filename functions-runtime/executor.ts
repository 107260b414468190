import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Connection, type Parts, serveConnection } from './connection.ts'
import { protocolVersion } from './protocol.ts'

export type Executor = {
  /** Takes an upgraded connection, or refuses it. */
  upgrade: (request: IncomingMessage, socket: Duplex, first: Buffer) => void
  /** Tells every caller what can be run here. */
  announce: () => void
  /** Tells every caller that this executor leaves, and resolves when what runs has ended. */
  leave: () => Promise<void>
}

type Options = Parts & { secret: string; isSealed: () => boolean }

export function createExecutor({ secret, isSealed, ...parts }: Options): Executor {
  const instance = randomUUID()
  const connections = new Set<Connection>()
  let isLeaving = false

  const welcome = () => {
    const runtimes = parts.engines.flatMap((engine) => engine.runtimes())
    return {
      kind: 'welcome',
      version: protocolVersion,
      instance,
      runtimes,
      isSealed: isSealed(),
      prepares: true,
      records: true,
    } as const
  }

  return {
    upgrade(request, socket, first) {
      socket.on('error', () => socket.destroy())
      const refusal = refuse(request, secret) ?? (isLeaving ? '503 Service Unavailable' : null)
      if (refusal) {
        socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
        return
      }
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: tendril-executor\r\n\r\n')
      const connection = serveConnection(socket, first, parts)
      connections.add(connection)
      socket.on('close', () => connections.delete(connection))
      connection.send(welcome())
    },
    announce() {
      for (const connection of connections) connection.send(welcome())
    },
    async leave() {
      isLeaving = true
      for (const connection of connections) connection.send({ kind: 'leaving' })
      await Promise.all([...connections].map((connection) => connection.idle()))
      for (const connection of connections) connection.end()
    },
  }
}

function refuse(request: IncomingMessage, secret: string): string | null {
  if (request.url !== '/executor' || request.method !== 'GET') return '404 Not Found'
  if (request.headers.upgrade?.toLowerCase() !== 'tendril-executor') return '400 Bad Request'
  const shown = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  return secret && shown && isSame(shown, secret) ? null : '401 Unauthorized'
}

/** In the same time, whatever is shown. */
function isSame(shown: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(shown), digest(secret))
}
