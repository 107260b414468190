/** The way of builds to package registries: the CONNECT of a proxy, to hosts that the operator has named, and to no others. */
import { connect, type Socket } from 'node:net'

export type Proxy = {
  /** What came on a connection; nothing at its end. */
  receive: (id: number, bytes: Buffer) => void
  close: () => void
}

/** Answers on a connection; nothing ends it. Returns false where it should not be given more until `onRoom`. */
type Send = (id: number, bytes: Buffer) => boolean

type Connection = { head: Buffer; socket: Socket | null }

const maxHeadBytes = 8 * 1024
const maxConnections = 64
const nothing = Buffer.alloc(0)

/** `registries`: `host` (then its port is 443) or `host:port`. */
export function createProxy(registries: readonly string[], send: Send, onRoom: (resume: () => void) => void): Proxy {
  const allowed = new Set(registries.map((name) => (name.includes(':') ? name : `${name}:443`).toLowerCase()))
  const connections = new Map<number, Connection>()

  function refuse(id: number, status: string): void {
    connections.delete(id)
    send(id, Buffer.from(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`))
    send(id, nothing)
  }

  function open(id: number, connection: Connection, name: string, first: Buffer): void {
    const [host = '', port = ''] = name.split(':')
    const socket = connect({ host, port: Number(port), timeout: 60_000 })
    connection.socket = socket
    socket.once('connect', () => send(id, Buffer.from('HTTP/1.1 200 OK\r\n\r\n')))
    socket.on('data', (bytes: Buffer) => {
      if (send(id, bytes)) return
      socket.pause()
      onRoom(() => socket.resume())
    })
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', () => {
      if (connections.delete(id)) send(id, nothing)
    })
    if (first.length > 0) socket.write(first)
  }

  return {
    receive(id, bytes) {
      const connection = connections.get(id) ?? { head: nothing, socket: null }
      if (bytes.length === 0) {
        connections.delete(id)
        connection.socket?.end()
        return
      }
      connections.set(id, connection)
      if (connection.socket) return void connection.socket.write(bytes)
      connection.head = Buffer.concat([connection.head, bytes])
      const end = connection.head.indexOf('\r\n\r\n')
      if (end < 0 && connection.head.length < maxHeadBytes) return
      const [, name = ''] = /^CONNECT (\S+) HTTP\/1\.[01]\r\n/.exec(connection.head.toString('latin1')) ?? []
      if (end < 0 || connections.size > maxConnections || !allowed.has(name.toLowerCase())) refuse(id, '403 Forbidden')
      else open(id, connection, name, connection.head.subarray(end + 4))
    },
    close() {
      for (const { socket } of connections.values()) socket?.destroy()
      connections.clear()
    },
  }
}
