const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** Waits before each attempt of a delivery. */
const waits = [0, 5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]

/**
 * How long to wait when that many attempts have failed, in milliseconds, null for ever. The receiver's `Retry-After` may
 * make it longer, by a day at most, and some chance keeps those who failed together from coming back together.
 */
export function waitAfter(failed: number, retryAfterMs: number | null): number | null {
  const wait = waits[failed]
  if (wait === undefined) return null
  const spread = wait * (1 + 0.2 * Math.random())
  return Math.max(spread, Math.min(retryAfterMs ?? 0, 24 * hour))
}

/** `Retry-After` in either of its forms, seconds or a date. Null for none that can be read. */
export function parseRetryAfter(value: string | string[] | undefined, now: Date): number | null {
  const text = Array.isArray(value) ? value[0] : value
  if (!text) return null
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * second : Date.parse(text) - now.getTime()
  return Number.isFinite(ms) && ms > 0 ? ms : null
}
