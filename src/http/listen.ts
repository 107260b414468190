import type { Server } from 'node:http'

/** Where to listen, and which variables say so. */
type Place = { host: string; port: number; variables: string }

/** Throws one clear sentence when it cannot be. */
export function listen(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(reasonOf(error, place), { cause: error })))
    server.listen(place.port, place.host, resolve)
  })
}

function reasonOf(error: NodeJS.ErrnoException, { host, port, variables }: Place): string {
  const change = `set ${variables} to another`
  if (error.code === 'EADDRINUSE') return `Something already listens on ${host}:${port}; ${change}.`
  if (error.code === 'EACCES') return `This user may not listen on ${host}:${port}; ${change}.`
  if (error.code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine; ${change}.`
  return `Cannot listen on ${host}:${port}: ${error.message}`
}
