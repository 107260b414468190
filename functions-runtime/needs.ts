import type { FromExecutor } from './protocol.ts'

export type Needs = {
  ask: (id: string, hash: string, signal: AbortSignal) => Promise<Buffer | null>
  /** Waits for what comes unasked. */
  expect: (hash: string) => Promise<Buffer | null>
  answer: (hash: string, bytes: Buffer | null) => void
  close: () => void
}

type Settle = (bytes: Buffer | null) => void

/** Who waits for one artefact: runs, by their ids, and whoever expects it unasked. */
type Wanted = { asking: Map<string, Settle>; expecting: Settle[]; askedFor: string | null }

/**
 * Artefacts that were asked for: once for all runs of this caller's that want the same, and again for the next of them where
 * the first is given up, or where what was expected has not come.
 */
export function createNeeds(send: (head: FromExecutor) => void): Needs {
  const wanted = new Map<string, Wanted>()
  /** What has come in this turn: the run may be in the same piece of bytes, and nobody has kept the artefact yet. */
  const arrived = new Map<string, Buffer>()

  function find(hash: string): Wanted {
    const found = wanted.get(hash) ?? { asking: new Map(), expecting: [], askedFor: null }
    wanted.set(hash, found)
    return found
  }

  function settle(hash: string, bytes: Buffer | null): void {
    const { asking, expecting } = find(hash)
    wanted.delete(hash)
    for (const one of [...expecting, ...asking.values()]) one(bytes)
  }

  function askForNext(hash: string, one: Wanted): void {
    const [next] = one.asking.keys()
    if (next === undefined) {
      if (one.expecting.length === 0) wanted.delete(hash)
    } else if (one.askedFor === null) {
      one.askedFor = next
      send({ kind: 'need', id: next, hash })
    }
  }

  function keepForThisTurn(hash: string, bytes: Buffer): void {
    arrived.set(hash, bytes)
    setImmediate(() => arrived.delete(hash))
  }

  function answer(hash: string, bytes: Buffer | null): void {
    const one = wanted.get(hash)
    if (!one) return
    if (bytes === null && one.expecting.length > 0) {
      // Nobody has asked on behalf of a run.
      one.expecting.shift()?.(null)
      askForNext(hash, one)
    } else {
      if (bytes) keepForThisTurn(hash, bytes)
      settle(hash, bytes)
    }
  }

  /** Whoever has given up a run may not answer what was asked for it. */
  function giveUp(id: string, hash: string): void {
    const one = wanted.get(hash)
    one?.asking.get(id)?.(null)
    if (!one?.asking.delete(id)) return
    if (one.askedFor === id) one.askedFor = null
    if (one.expecting.length === 0) askForNext(hash, one)
  }

  return {
    ask(id, hash, signal) {
      const here = signal.aborted ? null : arrived.get(hash)
      if (here !== undefined) return Promise.resolve(here)
      const joins = wanted.has(hash)
      const one = find(hash)
      const { promise, resolve } = Promise.withResolvers<Buffer | null>()
      one.asking.set(id, resolve)
      signal.addEventListener('abort', () => giveUp(id, hash))
      if (joins) send({ kind: 'waits', id })
      else askForNext(hash, one)
      return promise
    },
    expect(hash) {
      const { promise, resolve } = Promise.withResolvers<Buffer | null>()
      find(hash).expecting.push(resolve)
      return promise
    },
    answer,
    close: () => {
      for (const hash of [...wanted.keys()]) settle(hash, null)
    },
  }
}
