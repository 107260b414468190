import type { Engine } from '../engine.ts'
import type { Settings } from '../settings.ts'

type Options = {
  settings: Settings
  /** Called when what `runtimes` answers has changed. */
  onChange: () => void
}

/** The runtimes in containers. */
export function createDockerEngine(_options: Options): Engine {
  return {
    name: 'docker',
    runtimes: () => [],
    run: () => Promise.reject(new Error('There is no runtime in containers.')),
    close: async () => {},
  }
}
