/**
 * For tests that run jobs. Agenda looks whether a job is still alive half a lock after it began, be it long over, and the timer
 * of that would keep the process of a test for so long. Importing this lets it end.
 */
type Processor = { prototype: { runOrRetry: (job: unknown) => Promise<void> } }

const { JobProcessor }: { JobProcessor: Processor } = await import(
  new URL('JobProcessor.js', import.meta.resolve('agenda')).href
)
const { runOrRetry } = JobProcessor.prototype

JobProcessor.prototype.runOrRetry = function (job) {
  const { setTimeout } = globalThis
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => setTimeout(...args).unref()) as typeof setTimeout
  try {
    // The timer is there when it first waits.
    return runOrRetry.call(this, job)
  } finally {
    globalThis.setTimeout = setTimeout
  }
}
