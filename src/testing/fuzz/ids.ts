/** Stands in for `src/lib/ids.ts` while operations are compared: both databases get the same ids at the same time. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUIDv7 } from 'node:crypto'

type Turn = { number: number; count: number }

const turns = new AsyncLocalStorage<Turn>()
const epoch = Date.UTC(2026, 5, 1)

/** Runs `fn` with the ids and the time of this turn. */
export function onTurn<T>(number: number, fn: () => Promise<T>): Promise<T> {
  return turns.run({ number, count: 0 }, fn)
}

export function clock(): Date {
  const turn = turns.getStore()
  return turn ? new Date(epoch + turn.number * 1000) : new Date()
}

export function newId(prefix: string): string {
  const turn = turns.getStore()
  if (!turn) return `${prefix}_${randomUUIDv7().replaceAll('-', '')}`
  turn.count += 1
  return `${prefix}_${turn.number.toString(16).padStart(16, '0')}${turn.count.toString(16).padStart(16, '0')}`
}

export function newEventId(): string {
  return randomUUIDv7()
}
