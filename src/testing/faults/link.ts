import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** The way from a process to a server, which a test can cut. */
export type Link = {
  port: number
  /** Lets nothing through and says nothing of it, as a network that drops packets: what was sent waits. */
  hold: () => void
  release: () => void
  /** Ends every connection with RST. */
  reset: () => void
  /** Where connections lead to from now on. */
  leadTo: (port: number) => void
  close: () => void
}

type Pair = readonly [Socket, Socket]

export async function createLink(target: number): Promise<Link> {
  const pairs = new Set<Pair>()
  let held = false
  const join = ([near, far]: Pair) => {
    near.pipe(far)
    far.pipe(near)
  }
  const end = (pair: Pair) => {
    pairs.delete(pair)
    for (const socket of pair) socket.destroy()
  }
  const server = createServer({ noDelay: true }, (near) => {
    const pair = [near, connect({ port: target, host: '127.0.0.1', noDelay: true })] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {})
      // While nothing gets through, nobody hears of an end either.
      socket.on('close', () => held || end(pair))
    }
    if (!held) join(pair)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      held = true
      for (const [near, far] of pairs) {
        near.unpipe(far).pause()
        far.unpipe(near).pause()
      }
    },
    release: () => {
      held = false
      for (const pair of pairs) {
        if (pair.some((socket) => socket.destroyed)) end(pair)
        else join(pair)
      }
    },
    reset: () => {
      for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy()
    },
    leadTo: (port) => {
      target = port
    },
    close: () => {
      server.close()
      for (const pair of pairs) end(pair)
    },
  }
}
