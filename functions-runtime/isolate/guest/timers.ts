import { scope } from './scope.ts'

type Callback = (...args: unknown[]) => unknown

/** What a timer throws fails the run: nobody could catch it. */
function guarded(callback: Callback, args: unknown[]): () => void {
  if (typeof callback !== 'function') throw new TypeError('The first argument must be a function.')
  return () => {
    try {
      callback(...args)
    } catch (error) {
      scope().fail(error)
    }
  }
}

const delay = (ms: unknown) => Math.min(Math.max(Number(ms) || 0, 0), 2_147_483_647)

export function setTimeout(callback: Callback, ms?: number, ...args: unknown[]): number {
  return scope().wake(delay(ms), guarded(callback, args))
}

/** Which wake-up an interval waits for: the number that its caller knows stays the same. */
const intervals = new Map<number, number>()

export function setInterval(callback: Callback, ms?: number, ...args: unknown[]): number {
  const call = guarded(callback, args)
  const every = Math.max(delay(ms), 1)
  let id = 0
  const again = () => {
    intervals.set(id, scope().wake(every, again))
    call()
  }
  id = scope().wake(every, again)
  intervals.set(id, id)
  return id
}

export function clearTimeout(id?: number): void {
  if (id === undefined) return
  scope().forget(intervals.get(id) ?? id)
  intervals.delete(id)
}

export const clearInterval = clearTimeout

export function setImmediate(callback: Callback, ...args: unknown[]): number {
  return setTimeout(callback, 0, ...args)
}

export const clearImmediate = clearTimeout

export function queueMicrotask(callback: Callback): void {
  void Promise.resolve().then(guarded(callback, []))
}
