import { BuildFailed } from './build/failure.ts'
import { buildForIsolate, removeLeftovers } from './build/isolate.ts'
import { capped, queued } from './build/limits.ts'
import type { Build } from './engine.ts'
import type { Settings } from './settings.ts'

const runtimes = ['javascript', 'typescript']

/** Makes artefacts of archives: scripts for isolates here, and what containers run by `inContainer`. */
export function createBuild({ npmRegistry }: Pick<Settings, 'npmRegistry'>, inContainer: Build): Build {
  void removeLeftovers()
  const forIsolate: Build = async ({ entrypoint, timeoutMs }, archive, onLine, signal) => {
    try {
      const build = { archive, entrypoint, timeoutMs, onLine, signal, registry: npmRegistry }
      return { artefact: await buildForIsolate(build) }
    } catch (error) {
      if (error instanceof BuildFailed) return { error: error.message }
      throw error
    }
  }
  return queued((frame, archive, onLine, signal) => {
    const build = runtimes.includes(frame.runtime) ? forIsolate : inContainer
    return build(frame, archive, capped(onLine), signal)
  })
}
