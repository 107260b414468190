/** Processes that wait for the next tenant: one without a JIT, and one with as soon as somebody has wanted it. */
import type { Sandbox } from './process.ts'
import { warmUp } from './warm.ts'

/** A new spare is started a little later than its process runs, so that it does not take the processor from it. */
const afterMs = 60
/** What a process does by itself when it is ready comes first. */
const warmUpAfterMs = 40
/** For so long it waits while others take the processor again and again. */
const longestMs = 500

export function createSpares(start: (isTrusted: boolean) => Sandbox) {
  const spares = new Map<boolean, Sandbox>()
  const timers = new Map<boolean, NodeJS.Timeout>()
  /** Since when there is none. */
  const missing = new Map<boolean, number>()
  let isClosed = false

  function prepare(isTrusted: boolean): void {
    if (isClosed || spares.has(isTrusted)) return
    missing.delete(isTrusted)
    const sandbox = start(isTrusted)
    spares.set(isTrusted, sandbox)
    const warm = () => spares.get(isTrusted) === sandbox && warmUp(sandbox)
    sandbox.ready.then(
      () => setTimeout(warm, warmUpAfterMs).unref(),
      () => {},
    )
    void sandbox.gone.then(() => {
      if (spares.get(isTrusted) === sandbox) spares.delete(isTrusted)
    })
  }

  prepare(false)
  return {
    take(isTrusted: boolean): Sandbox {
      const spare = spares.get(isTrusted)
      spares.delete(isTrusted)
      const taken = spare ?? start(isTrusted)
      const since = missing.get(isTrusted) ?? performance.now()
      missing.set(isTrusted, since)
      const isLong = () => performance.now() - since > longestMs
      const later = () => {
        clearTimeout(timers.get(isTrusted))
        timers.set(isTrusted, setTimeout(prepare, isLong() ? 0 : afterMs, isTrusted).unref())
      }
      if (!isLong()) clearTimeout(timers.get(isTrusted))
      taken.ready.then(later, later)
      return taken
    },
    close() {
      isClosed = true
      for (const sandbox of spares.values()) sandbox.kill('CRASHED', [])
    },
  }
}
