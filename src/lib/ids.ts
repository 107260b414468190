import { randomUUID, randomUUIDv7 } from 'node:crypto'

let latest = { ms: 0, count: 0 }

/**
 * Ids say what they identify (`prj_…`, `usr_…`) and sort by the time they were made: a UUID of version 7 with a counter in each
 * millisecond (RFC 9562, 6.2, method 1), so that those of one process are in order.
 */
export function newId(prefix: string): string {
  const { ms, count } = latest
  const now = Math.max(Date.now(), count === 0xfff ? ms + 1 : ms)
  latest = { ms: now, count: now > ms ? 0 : count + 1 }
  const random = randomUUID()
  return `${prefix}_${hex(latest.ms, 12)}7${hex(latest.count, 3)}${random.slice(19, 23)}${random.slice(24)}`
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

/** The id of an event: also the webhook's id and the key of every effect it has. */
export function newEventId(): string {
  return randomUUIDv7()
}
