/** The Docker adapter: functions in containers, on one Docker Engine or several. Docs: docs/decisions/0023. */
import { createHash } from 'node:crypto'
import { type Build, type Engine, type Perform, RunError } from '../engine.ts'
import type { RuntimeState } from '../protocol.ts'
import { DockerError } from './api.ts'
import { checkBuilt } from './artefact.ts'
import { buildIn } from './build.ts'
import { startContainer } from './container.ts'
import { createHost, type Host, unlessAborted } from './host.ts'
import { prepareFunction, type RuntimeImages } from './images.ts'
import { runIn } from './run.ts'
import { type Runtime, readRuntimes } from './runtimes.ts'
import type { DockerSettings } from './settings.ts'
import { openTunnel } from './tunnel.ts'

export type DockerEngine = Engine & {
  /** Makes an artefact in a container: a tar.gz of the built folder. */
  build: Build
  /** How many containers there are on each of the engines. */
  loads: () => number[]
}

/** So long an engine has to end a build that takes too long, or that nobody waits for. */
const stopMs = 5_000

type Options = { settings: DockerSettings; perform: Perform; onChange: () => void }

/** Throws where a runtime's file or an engine's address is wrong. */
export function createDockerEngine({ settings, perform, onChange }: Options): DockerEngine {
  const runtimes = readRuntimes(settings.runtimesDir, settings.runtimes)
  const hosts = settings.hosts.map((url) => createHost({ url, runtimes, settings, onChange }))
  const runtimeOf = (name: string) => {
    const runtime = runtimes.get(name)
    if (!runtime) throw new RunError('UNAVAILABLE', `This executor has no runtime ${name}.`)
    return runtime
  }

  return {
    name: 'docker',
    runtimes: () =>
      [...runtimes.keys()].map((name) => ({ ...stateOf(name, hosts), entrypoint: runtimeOf(name).entrypoint })),
    async run(call) {
      const begun = performance.now()
      const { program, limits, tenant, functionId } = call.run
      const runtime = runtimeOf(program.runtime)
      const { deploymentId, artefact: hash } = program
      const key = [tenant, functionId, deploymentId, runtime.name, hash, limits.memoryMb].join(' ')
      const { host, images } = choose(hosts, program.runtime, key, tenant)
      const start = () =>
        host.withImages(async () => {
          const artefact = async () => checkBuilt(await call.artefact())
          const image = await prepareFunction(host.docker, images.run, program.artefact, artefact)
          const { cpus } = settings
          return startContainer(host.docker, {
            image,
            runtime,
            cpus,
            memoryMb: limits.memoryMb,
            entrypoint: program.entrypoint,
          })
        })
      const lease = await host.pool.acquire({ key, tenant, start, signal: call.signal }).catch(async (error) => {
        await host.check()
        throw error
      })
      const { result, isReusable } = await runIn(lease, call, perform, begun)
      lease.release(isReusable)
      return result
    },
    async build(frame, archive, onLine, signal) {
      try {
        const runtime = runtimeOf(frame.runtime)
        const { host, images } = choose(hosts, frame.runtime, frame.id, frame.tenant)
        const tunnel = tunnelOn(host, runtime, runtimes, settings.registries)
        const stop = AbortSignal.any([signal, AbortSignal.timeout(frame.timeoutMs)])
        const work = { frame, archive, runtime, image: images.build, tunnel, settings, onLine, signal: stop }
        return await unlessHung(
          host.withImages(() => buildIn(host.docker, work)),
          stop,
        )
      } catch (error) {
        if (!(error instanceof DockerError || error instanceof RunError)) throw error
        return { error: `The build could not be done. ${error.message}` }
      }
    },
    loads: () => hosts.map(({ pool }) => pool.size()),
    async close() {
      await Promise.all(hosts.map((host) => host.close()))
    },
  }
}

/** An engine that hangs would keep a build that is over, and its place, for as long. */
async function unlessHung<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  const hung = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const wait = () => {
    const error = new RunError('UNAVAILABLE', 'The Docker Engine does not answer.')
    timer = setTimeout(() => hung.abort(error), stopMs)
  }
  if (stop.aborted) wait()
  else stop.addEventListener('abort', wait, { once: true })
  return unlessAborted(work, hung.signal).finally(() => {
    clearTimeout(timer)
    stop.removeEventListener('abort', wait)
  })
}

/** Any runtime's image will do that has the program for it; the build's own, if it can be. */
function tunnelOn(host: Host, own: Runtime, runtimes: ReadonlyMap<string, Runtime>, registries: readonly string[]) {
  if (registries.length === 0) return null
  for (const { name, forward } of [own, ...runtimes.values()]) {
    const images = host.imagesOf(name)
    if (forward && typeof images === 'object') return () => openTunnel(host.docker, images.run, forward, registries)
  }
  return null
}

function stateOf(name: string, hosts: readonly Host[]): RuntimeState {
  const states = hosts.map((host) => host.imagesOf(name))
  const isThere = states.some((state) => typeof state === 'object')
  const none = 'No Docker Engine is configured: set DOCKER_HOST; with `npm start`, DOCKER_RUNTIMES as well.'
  return {
    name,
    engine: 'docker',
    unavailable: isThere ? null : states.filter((s) => typeof s === 'string').join(' ') || none,
  }
}

/** The same deployment goes to the same engine as long as it has room there; otherwise to the next one that has. */
function choose(
  hosts: readonly Host[],
  runtime: string,
  key: string,
  tenant: string,
): { host: Host; images: RuntimeImages } {
  const weight = (host: Host) => createHash('sha256').update(`${host.docker.url} ${key}`).digest('hex')
  const able = hosts
    .flatMap((host) => {
      const images = host.imagesOf(runtime)
      return typeof images === 'object' ? [{ host, images, weight: weight(host) }] : []
    })
    .sort((a, b) => (a.weight < b.weight ? -1 : 1))
  const chosen = able.find(({ host }) => host.pool.hasRoom(key, tenant)) ?? able[0]
  if (!chosen) throw new RunError('UNAVAILABLE', stateOf(runtime, hosts).unavailable ?? 'It cannot run at present.')
  return chosen
}
