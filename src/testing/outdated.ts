import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 10_000

/**
 * Asks as a client that never stops, until an answer is no longer the old one; answers after how long the last old one was
 * asked for. However long answers take on a busy machine, none is old that is asked for later.
 */
export async function oldUntil<T>(ask: () => Promise<T>, isOld: (answer: T) => boolean): Promise<number> {
  const started = performance.now()
  for (let last = 0, asked = 0; asked < patienceMs; last = asked) {
    asked = performance.now() - started
    if (!isOld(await ask())) return last
    await sleep(5)
  }
  return Number.POSITIVE_INFINITY
}
