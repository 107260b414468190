/** A build in a container: the archive goes in by its input, the built folder comes out by its output, lines by its errors. */

import { Readable } from 'node:stream'
import { checkArchive } from '../build/archive.ts'
import { BuildFailed } from '../build/failure.ts'
import type { BuildFrame, LogLine } from '../protocol.ts'
import type { DockerApi } from './api.ts'
import { checkBuilt } from './artefact.ts'
import { hardened, walls } from './container.ts'
import { demultiplex } from './frames.ts'
import { labelsOf, removeContainer } from './leftovers.ts'
import { createLines } from './logs.ts'
import type { Runtime } from './runtimes.ts'
import type { DockerSettings } from './settings.ts'
import type { Tunnel } from './tunnel.ts'

type Options = {
  frame: BuildFrame
  archive: Buffer
  runtime: Runtime
  image: string
  /** Opens the way to the package registries; null where builds have none. */
  tunnel: (() => Promise<Tunnel>) | null
  settings: DockerSettings
  onLine: (line: LogLine) => void
  /** Aborted when it is given up, or takes too long. */
  signal: AbortSignal
}

export const maxArtefactBytes = 64 * 1024 * 1024
/** Exit codes that the script has for what is no fault of its commands. */
const noSpace = 92

/** Answers a tar.gz of the built folder, or in words why there is none. Throws DockerError where no container can be started. */
export async function buildIn(docker: DockerApi, options: Options): Promise<{ artefact: Buffer } | { error: string }> {
  try {
    await checkArchive(Readable.from([options.archive]))
    const tunnel = (await options.tunnel?.()) ?? null
    try {
      return { artefact: await checkBuilt(await inContainer(docker, options, tunnel)) }
    } finally {
      await tunnel?.close()
    }
  } catch (error) {
    if (error instanceof BuildFailed) return { error: error.message }
    throw error
  }
}

async function inContainer(docker: DockerApi, options: Options, tunnel: Tunnel | null): Promise<Buffer> {
  const { archive, frame, settings, onLine } = options
  const { Id } = await docker.ask<{ Id: string }>('POST', '/containers/create', configOf(options, tunnel))
  const kill = () => void docker.ask('POST', `/containers/${Id}/kill`).catch(() => {})
  const stop = options.signal
  stop.addEventListener('abort', kill)
  try {
    const socket = await docker.hijack(`/containers/${Id}/attach?stream=1&stdin=1&stdout=1&stderr=1`)
    const parts: Buffer[] = []
    let size = 0
    let isFull = false
    const lines = createLines((text) => {
      isFull ||= /no space left on device|ENOSPC/i.test(text)
      onLine({ at: Date.now(), level: 'log', text: text.slice(0, 4_000) })
    })
    const take = (bytes: Buffer) => {
      size += bytes.length
      if (size > maxArtefactBytes) kill()
      else parts.push(Buffer.from(bytes))
    }
    socket.on('data', demultiplex(take, lines.write)).on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.once('end', () => socket.destroy())
    await docker.ask('POST', `/containers/${Id}/start`)
    // What was given up before could not be killed then.
    if (stop.aborted) kill()
    socket.write(archive)
    await closed
    lines.end()
    await docker.ask('POST', `/containers/${Id}/wait`)
    const { State } = await docker.ask<{ State: State }>('GET', `/containers/${Id}/json`)
    if (size > maxArtefactBytes)
      throw new BuildFailed(`The built folder has more than ${megabytes(maxArtefactBytes)} when it is packed.`)
    const failure = failureOf(State, { ...settings, isFull, stop, timeoutMs: frame.timeoutMs })
    if (failure) throw new BuildFailed(failure)
    return Buffer.concat(parts)
  } finally {
    stop.removeEventListener('abort', kill)
    await removeContainer(docker, Id)
  }
}

type State = { OOMKilled: boolean; ExitCode: number }
type Facts = Pick<DockerSettings, 'buildMemoryMb' | 'buildDiskMb'> & {
  isFull: boolean
  stop: AbortSignal
  timeoutMs: number
}

function failureOf({ OOMKilled, ExitCode }: State, facts: Facts): string | null {
  if (facts.stop.aborted) return `The build took longer than ${facts.timeoutMs / 1000} s, or was given up.`
  if (ExitCode === 0) return null
  if (ExitCode === noSpace || facts.isFull)
    return `The build needs more than the ${facts.buildDiskMb} MB of disk that it may use.`
  if (OOMKilled) return `The build needs more than the ${facts.buildMemoryMb} MB of memory that it may use.`
  return `The build’s command ended with code ${ExitCode}.`
}

const megabytes = (bytes: number) => `${bytes / 1024 / 1024} MB`

function configOf({ frame, archive, runtime, image, settings }: Options, tunnel: Tunnel | null) {
  const { buildMemoryMb, buildDiskMb } = settings
  const variables = Object.entries(frame.variables).map(([name, value]) => `${name}=${value}`)
  const memory = (buildMemoryMb + buildDiskMb) * 1024 * 1024
  return {
    Image: image,
    Labels: labelsOf('build'),
    Entrypoint: ['sh', '-c', scriptOf(runtime, frame.command)],
    WorkingDir: '/',
    Env: [
      ...variables,
      ...(tunnel?.variables ?? []),
      `ENTRYPOINT=${frame.entrypoint}`,
      `ARCHIVE_BYTES=${archive.length}`,
      'HOME=/build/home',
      'OUTPUT=/build/output',
    ],
    ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false },
    ...(tunnel ? { User: hardened.User, StopSignal: hardened.StopSignal } : hardened),
    HostConfig: {
      ...walls,
      NetworkMode: tunnel?.networkMode ?? 'none',
      Memory: memory,
      MemorySwap: memory,
      PidsLimit: 512,
      Tmpfs: {
        '/build': `rw,exec,nosuid,nodev,size=${buildDiskMb}m,mode=1777`,
        '/tmp': `rw,exec,nosuid,nodev,size=${buildDiskMb}m,mode=1777`,
      },
    },
  }
}

/** Links are followed, so that what comes out has files and folders only. */
function scriptOf(runtime: Runtime, command: string | null): string {
  return `
fail() { echo "$1" >&2; exit 1; }
needs_registry() { [ -n "$HTTPS_PROXY" ] || fail "$1 asks for packages, and builds reach no registry here (BUILD_REGISTRIES)."; }
check_space() { [ "$(df -P /build | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4)" -gt 256 ] || exit ${noSpace}; }
end_with() { [ "$1" = 0 ] || { check_space; exit "$1"; }; }
mkdir -p /build/source /build/home || exit ${noSpace}
cd /build/source
head -c "$ARCHIVE_BYTES" | tar -xz -o || { check_space; fail 'The archive could not be unpacked.'; }
exec 4>&1 1>&2 </dev/null
( set -e
${command ?? runtime.install ?? ''}
) 4>&-
end_with $?
( set -e
${runtime.build ?? ''}
) 4>&-
end_with $?
[ ! -d "$OUTPUT" ] || cd "$OUTPUT"
tar -c -z -h --hard-dereference --mtime=@0 --sort=name --owner=0 --group=0 . >&4 || { check_space; fail 'The built folder could not be packed.'; }
`
}
