import type { Env } from '../env.ts'

/** How many sockets a process holds open, in all, of each project and from each address. */
export type Seats = {
  /** The HTTP status with which another is refused, null while there is room. */
  refusal: (address: string, projectId: string) => number | null
  /** Answers how to give it back. */
  take: (address: string, projectId: string) => () => void
}

type Limits = Pick<Env, 'SOCKETS_PER_NODE' | 'SOCKETS_PER_PROJECT' | 'SOCKETS_PER_ADDRESS'>

export function createSeats({ SOCKETS_PER_NODE, SOCKETS_PER_PROJECT, SOCKETS_PER_ADDRESS }: Limits): Seats {
  const taken = { addresses: new Map<string, number>(), projects: new Map<string, number>(), all: 0 }
  const add = (counts: Map<string, number>, key: string, more: number) => {
    const count = (counts.get(key) ?? 0) + more
    if (count > 0) counts.set(key, count)
    else counts.delete(key)
  }
  const change = (address: string, projectId: string, more: number) => {
    add(taken.addresses, address, more)
    add(taken.projects, projectId, more)
    taken.all += more
  }
  const refusal: Seats['refusal'] = (address, projectId) => {
    if ((taken.addresses.get(address) ?? 0) >= SOCKETS_PER_ADDRESS) return 429
    const isFull = taken.all >= SOCKETS_PER_NODE || (taken.projects.get(projectId) ?? 0) >= SOCKETS_PER_PROJECT
    return isFull ? 503 : null
  }
  const take: Seats['take'] = (address, projectId) => {
    change(address, projectId, 1)
    return () => change(address, projectId, -1)
  }
  return { refusal, take }
}
