/** A container that runs functions, one at a time: hardened, without a network, and with nothing to reach but its two streams. */
import type { Duplex } from 'node:stream'
import { type DockerApi, DockerError } from './api.ts'
import { createShimDecoder, encodeForShim, type ShimFrame, type ToShim } from './frames.ts'
import { labelsOf, removeContainer } from './leftovers.ts'
import type { Runtime } from './runtimes.ts'

/** Why a container has ended. */
export type Ended = { reason: 'MEMORY' | 'CRASHED' | 'UNAVAILABLE' | 'TOO_LARGE'; message: string }

export type Listener = { onFrame: (frame: ShimFrame) => void; onError: (bytes: Buffer) => void }

export type Container = {
  send: (head: ToShim, body?: Buffer) => void
  /** Whether its program is told where nobody waits any more. */
  hearsLeft: () => boolean
  /** Who hears what it says from now on; nobody with null. */
  listen: (listener: Listener | null) => void
  /** Stops and starts what comes from it. */
  flow: (isFlowing: boolean) => void
  /** Resolves once, when it has ended, and tells why. It is removed by then. */
  ended: Promise<Ended>
  hasEnded: () => boolean
  /** Ends it at once. */
  kill: () => void
}

export type ContainerOptions = { image: string; runtime: Runtime; entrypoint: string; memoryMb: number; cpus: number }

/** What a container may have, besides the memory of its function. */
export const containerLimits = { processes: 256, files: 1024, tmpMb: 64 } as const

/** Longer than this no container takes to start. */
const startMs = 60_000

/** Resolves when its shim is ready. Throws DockerError where the engine cannot start it. */
export async function startContainer(docker: DockerApi, options: ContainerOptions): Promise<Container> {
  const { Id } = await docker.ask<{ Id: string }>('POST', '/containers/create', configOf(options))
  try {
    const query = 'stream=1&stdin=1&stdout=1&stderr=1'
    const socket = await docker.hijack(`/containers/${Id}/attach?${query}`)
    const container = attached(docker, Id, socket, options.runtime)
    const ready = readyOf(container)
    await docker.ask('POST', `/containers/${Id}/start`)
    const hearsLeft = await ready
    return { ...container, hearsLeft: () => hearsLeft }
  } catch (error) {
    void removeContainer(docker, Id)
    throw error
  }
}

/** Whether it hears that nobody waits. What it writes before it is ready is told where it never gets so. */
function readyOf(container: Omit<Container, 'hearsLeft'>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => {
      reject(new DockerError(500, `The container was not ready after ${startMs / 1000} s.`))
      container.kill()
    }, startMs)
    container.listen({
      onFrame: ({ head }) => {
        if (head.kind !== 'ready') return
        clearTimeout(timer)
        container.listen(null)
        resolve(head.hearsLeft === true)
      },
      onError: (bytes) => {
        said = (said + bytes).slice(-1_000)
      },
    })
    void container.ended.then(({ message }) => {
      clearTimeout(timer)
      reject(new DockerError(500, `The container did not start. ${message} ${said}`.trim()))
    })
  })
}

function attached(docker: DockerApi, id: string, socket: Duplex, runtime: Runtime): Omit<Container, 'hearsLeft'> {
  let listener: Listener | null = null
  let broken: string | null = null
  let hasEnded = false
  const decode = createShimDecoder(
    (frame) => listener?.onFrame(frame),
    (bytes) => listener?.onError(bytes),
  )
  const kill = () => void docker.ask('POST', `/containers/${id}/kill`).catch(() => {})
  socket.on('data', (bytes: Buffer) => {
    if (broken) return
    try {
      decode(bytes)
    } catch {
      broken = 'The container wrote something that is no frame, or too large a one.'
      kill()
    }
  })
  // It is told by `close`.
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.once('end', () => socket.destroy())
  const ended = closed.then(async (): Promise<Ended> => {
    hasEnded = true
    const reason = await reasonOf(docker, id, runtime)
    await removeContainer(docker, id)
    return broken ? { reason: 'TOO_LARGE', message: broken } : reason
  })
  return {
    send: (head, body) => void socket.write(encodeForShim(head, body)),
    listen: (next) => {
      listener = next
    },
    flow: (isFlowing) => void (isFlowing ? socket.resume() : socket.pause()),
    ended,
    hasEnded: () => hasEnded,
    kill,
  }
}

type State = { OOMKilled: boolean; ExitCode: number; Running: boolean }

async function reasonOf(docker: DockerApi, id: string, runtime: Runtime): Promise<Ended> {
  try {
    // Its streams may end a moment before it does.
    await docker.ask('POST', `/containers/${id}/wait`, undefined, AbortSignal.timeout(10_000))
    const { State } = await docker.ask<{ State: State }>('GET', `/containers/${id}/json`)
    if (State.OOMKilled || runtime.memoryExitCodes.includes(State.ExitCode)) {
      return { reason: 'MEMORY', message: 'The function used more memory than it may.' }
    }
    return { reason: 'CRASHED', message: `The container ended with code ${State.ExitCode} before there was an answer.` }
  } catch (error) {
    if (error instanceof DockerError && error.status === 404) {
      return { reason: 'CRASHED', message: 'The container was removed before there was an answer.' }
    }
    return { reason: 'UNAVAILABLE', message: 'The Docker Engine went away during the run.' }
  }
}

function configOf({ image, runtime, entrypoint, memoryMb, cpus }: ContainerOptions) {
  return {
    Image: image,
    Labels: labelsOf('run'),
    // The first process is a shell: it waits for what the function's children leave, and a program would for none but its own.
    Entrypoint: ['sh', '-c', `exec 9>&2 2>/dev/null\n(${runtime.start}\n) 2>&9 9>&-\nexit $?`],
    WorkingDir: '/function',
    Env: [`ENTRYPOINT=${entrypoint}`, `MEMORY_MB=${memoryMb}`, 'HOME=/tmp'],
    // Its input ends when this process does, and the shim with it.
    ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false },
    ...hardened,
    HostConfig: {
      ...walls,
      Memory: memoryMb * 1024 * 1024,
      MemorySwap: memoryMb * 1024 * 1024,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: containerLimits.processes,
      Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=${containerLimits.tmpMb}m,mode=1777` },
    },
  }
}

/** An engine that stops does not wait for it. */
export const hardened = { User: '65534:65534', Hostname: 'function', NetworkDisabled: true, StopSignal: 'SIGKILL' }

/** What holds for runs and builds alike. The engine's own socket is mounted nowhere. */
export const walls = {
  NetworkMode: 'none',
  ReadonlyRootfs: true,
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges'],
  IpcMode: 'private',
  LogConfig: { Type: 'none', Config: {} },
  Ulimits: [
    { Name: 'nofile', Soft: containerLimits.files, Hard: containerLimits.files },
    { Name: 'core', Soft: 0, Hard: 0 },
  ],
}
