import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { RunError } from './engine.ts'

/** Artefacts in memory, the ones used last, named by the SHA-256 of their bytes. */
export type Artefacts = {
  /** Asks `need` for what is not there, once for all who want it at the same time. */
  get: (hash: string, need: () => Promise<Buffer | null>) => Promise<Buffer>
  /** What was built here is likely to be run here. Answers its name. */
  keep: (bytes: Buffer) => string
}

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

export function createArtefacts(maxBytes: number): Artefacts {
  const kept = new LRUCache<string, Buffer>({ maxSize: maxBytes, sizeCalculation: (bytes) => bytes.length + 1 })
  return {
    async get(hash, need) {
      const bytes = kept.get(hash) ?? (await need())
      if (!bytes) throw new RunError('UNAVAILABLE', 'What the build has made of this deployment is gone.')
      if (kept.has(hash)) return bytes
      // A cache that believed any name would run one tenant's program for another.
      if (hashOf(bytes) !== hash) {
        throw new RunError('UNAVAILABLE', 'What came for this deployment is not what its build has made.')
      }
      // A copy of its own: what came is a view into the bytes of a connection.
      kept.set(hash, Buffer.from(bytes))
      return bytes
    },
    keep(bytes) {
      const hash = hashOf(bytes)
      kept.set(hash, bytes)
      return hash
    },
  }
}
