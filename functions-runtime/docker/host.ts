/** One Docker Engine: whether it answers, which runtimes it has the images of, and the containers on it. */
import { createDockerApi, type DockerApi, DockerError } from './api.ts'
import { imageId, prepareRuntime, type RuntimeImages } from './images.ts'
import { removeLeftovers } from './leftovers.ts'
import { createPool, type Pool } from './pool.ts'
import type { Runtime } from './runtimes.ts'
import type { DockerSettings } from './settings.ts'

export type Host = {
  docker: DockerApi
  pool: Pool
  /** The images of a runtime, or in words why it cannot run here. */
  imagesOf: (runtime: string) => RuntimeImages | string
  /** Does work that needs them, and has those made again that are gone: an engine's operator may remove what no container uses. */
  withImages: <T>(work: () => Promise<T>) => Promise<T>
  /** Looks at once whether the engine answers. */
  check: () => Promise<void>
  close: () => Promise<void>
}

/** So often an engine is looked at, and one that lacks an image is asked for it again. */
const checkMs = 2_000
const retryMs = 60_000

/** Rejects when nobody waits any more, whatever becomes of the work. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

type Options = { url: string; runtimes: ReadonlyMap<string, Runtime>; settings: DockerSettings; onChange: () => void }

export function createHost({ url, runtimes, settings, onChange }: Options): Host {
  const docker = createDockerApi(url, settings.certificates)
  const pool = createPool({ max: settings.containers, idleMs: settings.idleMs })
  const states = new Map<string, RuntimeImages | string>()
  let down: string | null = `The Docker Engine at ${url} has not answered yet.`
  let prepared = Number.NEGATIVE_INFINITY
  let isClosed = false
  let preparing: AbortController | null = null

  const set = (name: string, state: RuntimeImages | string) => {
    states.set(name, state)
    if (!isClosed) onChange()
  }
  function prepare(): void {
    const own = new AbortController()
    preparing = own
    prepared = performance.now()
    const missing = [...runtimes.values()].filter(({ name }) => typeof states.get(name) !== 'object')
    void prepareAll(docker, missing, set, own.signal)
      .catch(() => {})
      .finally(() => {
        if (preparing === own) preparing = null
      })
  }
  async function check(): Promise<void> {
    const before = down
    down = await docker.ask('GET', '/version', undefined, AbortSignal.timeout(5_000)).then(
      () => null,
      (error: Error) =>
        error.name === 'TimeoutError' ? `The Docker Engine at ${url} does not answer.` : error.message,
    )
    // One that hangs would never end it.
    if (down) preparing?.abort()
    // An engine that was away may have come back as another one.
    if (before && !down) {
      states.clear()
      prepared = Number.NEGATIVE_INFINITY
    }
    if (before !== down && !isClosed) onChange()
  }
  async function forgetLost(): Promise<void> {
    for (const [name, images] of states) {
      if (typeof images === 'string') continue
      const ids = await Promise.all([imageId(docker, images.run), imageId(docker, images.build)])
      if (!ids.includes(null)) continue
      set(name, 'Its image is gone from the Docker Engine, and is being made again.')
      prepared = Number.NEGATIVE_INFINITY
    }
  }
  let next: NodeJS.Timeout
  async function look(): Promise<void> {
    await check()
    const isMissing = [...runtimes.keys()].some((name) => typeof states.get(name) !== 'object')
    if (!down && !preparing && isMissing && performance.now() - prepared > retryMs) prepare()
    if (!isClosed) next = setTimeout(look, checkMs).unref()
  }
  void look()

  return {
    docker,
    pool,
    check,
    async withImages(work) {
      try {
        return await work()
      } catch (error) {
        if (error instanceof DockerError && error.status === 404) await forgetLost().catch(() => {})
        throw error
      }
    },
    imagesOf: (name) => down ?? states.get(name) ?? 'Its image is being looked for.',
    async close() {
      isClosed = true
      clearTimeout(next)
      preparing?.abort()
      await pool.close()
    },
  }
}

/** One by one; what is there of a runtime is told, or why there is nothing yet. Throws where the engine is not to be asked any more. */
async function prepareAll(
  docker: DockerApi,
  runtimes: readonly Runtime[],
  tell: (name: string, state: RuntimeImages | string) => void,
  signal: AbortSignal,
): Promise<void> {
  await unlessAborted(removeLeftovers(docker), signal)
  for (const runtime of runtimes) {
    const told = (state: RuntimeImages | string) => signal.aborted || tell(runtime.name, state)
    try {
      told(await unlessAborted(prepareRuntime(docker, runtime, told), signal))
    } catch (error) {
      signal.throwIfAborted()
      told(`The image ${runtime.image} could not be had: ${(error as Error).message}`)
    }
  }
}
