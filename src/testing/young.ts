import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void

/**
 * How many megabytes of what `come` makes and lets go were at most held when the young had been collected: what should have
 * died with them, and waits for the next major collection instead.
 */
export async function heldOf(come: () => unknown, times: number): Promise<number> {
  await come()
  // Whatever is alive grows old, and with it what a chain would hang on.
  collect()
  const before = used()
  let most = 0
  for (let i = 0; i < times; i += 1) {
    await come()
    collect({ type: 'minor' })
    most = Math.max(most, used() - before)
  }
  return most / 2 ** 20
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
