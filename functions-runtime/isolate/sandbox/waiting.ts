/** What a run waits for: its timers, and what others do for it. */
import { limits, type Run, type Send, type ToSandbox } from '../messages.ts'
import { createCrypto } from './crypto.ts'
import { type Given, type Got, nameAndMessage, type Op } from './ops.ts'
import { createZips, type Zips } from './zip.ts'

type Options = {
  run: Run
  send: Send
  /** Gives an answer to what waits in the context. */
  deliver: (id: number, json: string, bytes: string) => void
}

export type Waiting = {
  /** Answers the call of that name; undefined where it is none of these. */
  find: (name: string) => Op | undefined
  /** Marks that the context waits for an answer to `id`. Throws when it waits for too much. */
  add: (id: number) => void
  answer: (frame: Extract<ToSandbox, { kind: 'answer' }>, body: Buffer) => void
  /** How many things the context waits for. */
  count: () => number
  close: () => void
}

type Told = { head: unknown } | { error: { name: string; message: string } }

type ZipHead = Parameters<Zips['open']>[0] & Parameters<Zips['work']>[0]

export function createWaiting({ run, send, deliver }: Options): Waiting {
  const timers = createTimers((id) => deliver(id, '', ''))
  const asked = new Set<number>()
  const crypto = createCrypto()
  const zips = createZips()

  function add(id: number): void {
    if (timers.size() + asked.size >= limits.pending) throw new RangeError('A run may wait for 1,000 things at once.')
    asked.add(id)
  }

  function settle(id: number, told: Told, bytes = ''): void {
    if (asked.delete(id)) deliver(id, JSON.stringify(told), bytes)
  }

  const effect =
    (op: 'fetch' | 'graphql') =>
    (given: Given): Got => {
      const { id, head } = given.head as { id: number; head: unknown }
      add(id)
      send({ kind: 'effect', id: run.id, effect: id, op, head }, Buffer.from(given.bytes, 'base64'))
      return undefined
    }

  /** What this process does itself, beside the run. */
  const computed =
    (work: (head: unknown, bytes: string) => Promise<{ head: unknown; bytes?: string }>) =>
    (given: Given): Got => {
      const { id, head } = given.head as { id: number; head: unknown }
      add(id)
      work(head, given.bytes).then(
        ({ head, bytes }) => settle(id, { head }, bytes),
        (error) => settle(id, { error: nameAndMessage(error) }),
      )
      return undefined
    }
  /** Made of them when they are asked for: most runs ask for none. */
  function own(name: string): Op | undefined {
    if (name === 'crypto') return computed(async (head) => ({ head: await crypto(head) }))
    if (name === 'openZip') return ({ head }) => void zips.open(head as ZipHead)
    if (name === 'leaveZip') return ({ head }) => void zips.leave((head as ZipHead).stream)
    return name === 'zip'
      ? computed((head, bytes) => zips.work(head as ZipHead, Buffer.from(bytes, 'base64')))
      : undefined
  }

  function cancel({ head }: Given): Got {
    const { id } = head as { id: number }
    timers.stop(id)
    if (asked.delete(id)) send({ kind: 'giveUp', id: run.id, effect: id })
    return undefined
  }

  function find(name: string): Op | undefined {
    if (name === 'timer') return (given) => timers.start(given, asked.size)
    if (name === 'cancel') return cancel
    if (name === 'fetch' || name === 'graphql') return effect(name)
    return own(name)
  }

  return {
    find,
    add,
    answer: ({ effect: id, head, error }, body) => settle(id, error ? { error } : { head }, body.toString('base64')),
    count: () => timers.size() + asked.size,
    close() {
      timers.close()
      zips.close()
      for (const id of asked) send({ kind: 'giveUp', id: run.id, effect: id })
      asked.clear()
    },
  }
}

function createTimers(fire: (id: number) => void) {
  const timers = new Map<number, NodeJS.Timeout>()
  return {
    start({ head }: Given, others: number): Got {
      const { id, ms } = head as { id: number; ms: number }
      if (timers.size + others >= limits.pending) throw new RangeError('A run may wait for 1,000 things at once.')
      const ring = () => {
        timers.delete(id)
        fire(id)
      }
      timers.set(id, setTimeout(ring, Math.min(Number(ms) || 0, 2_147_483_647)))
      return undefined
    },
    stop(id: number): void {
      clearTimeout(timers.get(id))
      timers.delete(id)
    },
    size: () => timers.size,
    close() {
      for (const one of timers.values()) clearTimeout(one)
      timers.clear()
    },
  }
}
