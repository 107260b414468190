import { setTimeout as sleep } from 'node:timers/promises'

const counts = { passed: 0, failed: 0 }

/** One step of the tour: says what was done, or why it could not be. After a failure the rest is still tried. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  try {
    const result = await work()
    counts.passed += 1
    process.stdout.write(`ok   ${title} (${Math.round(performance.now() - started)} ms)\n`)
    return result
  } catch (error) {
    counts.failed += 1
    process.stdout.write(`FAIL ${title}\n     ${error instanceof Error ? error.message : JSON.stringify(error)}\n`)
    throw error
  }
}

/** Waits for something to become true; throws what it waited for after `limitMs`. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  limitMs = 15_000,
): Promise<T> {
  const end = performance.now() + limitMs
  while (performance.now() < end) {
    const found = await probe()
    if (found) return found
    await sleep(50)
  }
  throw new Error(`${what} did not happen within ${limitMs / 1000} s.`)
}

export function summary(): { text: string; failed: number } {
  return { text: `${counts.passed} passed, ${counts.failed} failed`, failed: counts.failed }
}
