import type { FromExecutor } from './protocol.ts'

export type Needs = {
  ask: (id: string, hash: string, signal: AbortSignal) => Promise<Buffer | null>
  /** Waits for what comes unasked. */
  expect: (id: string, hash: string) => Promise<Buffer | null>
  answer: (hash: string, bytes: Buffer | null) => void
  close: () => void
}

/**
 * Artefacts that were asked for: once for all runs of this caller's that want the same, and again for the next of them where
 * the first is given up.
 */
export function createNeeds(send: (head: FromExecutor) => void): Needs {
  type Waiting = Map<string, (bytes: Buffer | null) => void>
  const asked = new Map<string, Waiting>()
  /** What was answered in this turn: the run may be in the same piece of bytes, and nobody has kept the artefact yet. */
  const answered = new Map<string, Buffer | null>()

  function answer(hash: string, bytes: Buffer | null): void {
    const waiting = asked.get(hash)
    if (!waiting) return
    asked.delete(hash)
    answered.set(hash, bytes)
    setImmediate(() => answered.delete(hash))
    for (const settle of waiting.values()) settle(bytes)
  }

  /** Whoever has given up a run may not answer what was asked for it. */
  function giveUp(id: string, hash: string): void {
    const waiting = asked.get(hash)
    const [first] = waiting?.keys() ?? []
    waiting?.get(id)?.(null)
    if (!waiting?.delete(id)) return
    const [next] = waiting.keys()
    if (next === undefined) asked.delete(hash)
    else if (first === id) send({ kind: 'need', id: next, hash })
  }

  function wait(id: string, hash: string): { bytes: Promise<Buffer | null>; isFirst: boolean } {
    const known = answered.get(hash)
    if (known !== undefined) return { bytes: Promise.resolve(known), isFirst: false }
    const { promise, resolve } = Promise.withResolvers<Buffer | null>()
    const waiting: Waiting = asked.get(hash) ?? new Map()
    asked.set(hash, waiting.set(id, resolve))
    return { bytes: promise, isFirst: waiting.size === 1 }
  }

  return {
    ask(id, hash, signal) {
      if (signal.aborted) return Promise.resolve(null)
      const { bytes, isFirst } = wait(id, hash)
      if (isFirst) send({ kind: 'need', id, hash })
      signal.addEventListener('abort', () => giveUp(id, hash))
      return bytes
    },
    expect: (id, hash) => wait(id, hash).bytes,
    answer,
    close: () => {
      for (const hash of [...asked.keys()]) answer(hash, null)
    },
  }
}
