import { createServer } from 'node:net'

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}

export const freePort = () => listenOnce(0)

export function portTaken(port: number, cause?: unknown): Error {
  return new Error(`Port ${port} on 127.0.0.1 is taken by another program: choose another one, or none.`, { cause })
}

/** Asked before a server starts, because a server that finds its port taken says so only in its log. */
export async function requireFreePort(port: number): Promise<void> {
  await listenOnce(port).catch((error: unknown) => {
    throw portTaken(port, error)
  })
}
