import { type Engine, RunError } from '../engine.ts'
import type { Settings } from '../settings.ts'

type IsolateEngine = Engine & {
  /** Whether bubblewrap is around the sandboxes. */
  isSealed: () => boolean
}

export function createIsolateEngine(_options: { settings: Settings }): IsolateEngine {
  return {
    name: 'isolate',
    runtimes: () => [{ name: 'javascript', engine: 'isolate', unavailable: 'Not here yet.' }],
    run: () => Promise.reject(new RunError('UNAVAILABLE', 'There are no isolates here yet.')),
    close: async () => {},
    isSealed: () => false,
  }
}
