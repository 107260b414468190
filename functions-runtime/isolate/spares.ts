/** Processes that wait for the next tenant: one without a JIT, and one with as soon as somebody has wanted it. */
import type { Sandbox } from './process.ts'

/** A new spare is started a little later, so that it does not take the processor from the run that took the old one. */
const afterMs = 60
/** Where there was none, the process that is being started instead comes first. */
const afterMissMs = 500

export function createSpares(start: (isTrusted: boolean) => Sandbox) {
  const spares = new Map<boolean, Sandbox>()
  let isClosed = false

  function prepare(isTrusted: boolean): void {
    if (isClosed || spares.has(isTrusted)) return
    const sandbox = start(isTrusted)
    spares.set(isTrusted, sandbox)
    void sandbox.gone.then(() => {
      if (spares.get(isTrusted) === sandbox) spares.delete(isTrusted)
    })
  }

  prepare(false)
  return {
    take(isTrusted: boolean): Sandbox {
      const spare = spares.get(isTrusted)
      spares.delete(isTrusted)
      setTimeout(prepare, spare ? afterMs : afterMissMs, isTrusted).unref()
      return spare ?? start(isTrusted)
    },
    close() {
      isClosed = true
      for (const sandbox of spares.values()) sandbox.kill('CRASHED', [])
    },
  }
}
