import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync } from 'node:fs'
import { chmod, chown, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { LogLine } from '../protocol.ts'
import { artefactBytes } from './bundle.ts'
import type { Asked, Told } from './child-protocol.ts'
import { BuildFailed } from './failure.ts'
import { openRegistry } from './registry.ts'
import { canSeal, sealed } from './seal.ts'

export type IsolateBuild = {
  archive: Buffer
  entrypoint: string
  timeoutMs: number
  onLine: (line: LogLine) => void
  signal: AbortSignal
  /** The URL of the package registry; null where packages are not to be installed. */
  registry: string | null
  /** For tests: without bubblewrap, or with less space. */
  isSealed?: boolean
  space?: number
}

/** One script out of an archive of JavaScript or TypeScript, made by a process of its own. Throws BuildFailed. */
export async function buildForIsolate(build: IsolateBuild): Promise<Buffer> {
  const { isSealed = canSeal(), registry } = build
  const outside = await mkdtemp(join(tmpdir(), prefix))
  const socketPath = join(outside, 'registry')
  const folder = await mkdtemp(join(outside, 'in-'))
  // Without bubblewrap it is run as nobody, where that can be chosen.
  const owner = !isSealed && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  await chmod(outside, 0o711)
  if (owner.uid) await chown(folder, nobody, nobody)
  const door = registry === null ? null : await openRegistry(registry, socketPath)
  try {
    if (door) await chmod(socketPath, 0o666)
    return await runChild(build, { folder, isSealed, registry: door && socketPath, owner })
  } finally {
    door?.close()
    await rm(outside, { recursive: true, force: true, maxRetries: 3 })
  }
}

const nobody = 65_534
const prefix = 'tendril-build-'
/** Longer than any build takes. */
const longMs = 3_600_000

/** Removes what builds have left here whose executor was killed. */
export async function removeLeftovers(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names.filter((name) => name.startsWith(prefix))) {
    const path = join(tmpdir(), name)
    const age = await stat(path).catch(() => null)
    if (age && age.mtimeMs < Date.now() - longMs) await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}

type Place = {
  folder: string
  isSealed: boolean
  registry: string | null
  owner: { uid?: number; gid?: number }
}

async function runChild(
  { space, ...build }: IsolateBuild,
  { folder, isSealed, registry, owner }: Place,
): Promise<Buffer> {
  const asked: Asked = { entrypoint: build.entrypoint, folder, npm: findNpm(), registry }
  const node = [process.execPath, '--max-old-space-size=1024', join(import.meta.dirname, 'child.ts')]
  const also = registry ? [registry] : []
  const command = sealed([...node, JSON.stringify(asked)], { folder, also, isSealed, ...(space && { space }) })
  const [program = '', ...args] = command
  // A group of its own: what it has started ends with it.
  const child = spawn(program, args, {
    cwd: folder,
    env: isSealed ? process.env : {},
    stdio: 'pipe',
    detached: true,
    ...owner,
  })
  const started = once(child, 'spawn')
  const closed = once(child, 'close')
  const late = setTimeout(() => end(child), build.timeoutMs)
  const stop = () => end(child)
  build.signal.addEventListener('abort', stop)
  try {
    await started
    // One that ends early does not read to the end.
    child.stdin.on('error', () => {})
    child.stdin.end(build.archive)
    const [artefact, told] = await Promise.all([readArtefact(child), readLines(child, build.onLine), closed])
    const [code] = await closed
    build.signal.throwIfAborted()
    if (told && 'failed' in told) throw new BuildFailed(told.failed)
    if (artefact.length > artefactBytes) throw new BuildFailed('The bundle is too large.')
    if (code === 0) return artefact
    throw told ? new Error(told.broken) : new BuildFailed(whyEnded(child, build.timeoutMs))
  } finally {
    clearTimeout(late)
    build.signal.removeEventListener('abort', stop)
    end(child)
  }
}

const ended = new WeakSet<ChildProcess>()

function end(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  ended.add(child)
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

function whyEnded(child: ChildProcess, timeoutMs: number): string {
  return ended.has(child)
    ? `The build took longer than ${timeoutMs / 1_000} s.`
    : 'The build ended early. It may have needed more memory than a build may have.'
}

async function readArtefact(child: ChildProcess): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of child.stdout ?? []) {
    size += chunk.length
    if (size <= artefactBytes + 1) chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Hands on the lines as they come; answers what else was said at the end. */
async function readLines(child: ChildProcess, onLine: (line: LogLine) => void) {
  let last: Exclude<Told, { line: unknown }> | null = null
  if (!child.stderr) return last
  for await (const text of createInterface({ input: child.stderr })) {
    const told = parse(text)
    if (!told) continue
    if ('line' in told) onLine(told.line)
    else last = told
  }
  return last
}

/** What Node itself says of its end is none of it. */
function parse(text: string): Told | null {
  try {
    return text.startsWith('{') ? JSON.parse(text) : null
  } catch {
    return null
  }
}

/** npm's program in JavaScript, where it is installed on this machine. */
function findNpm(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'npm')
    if (folder && existsSync(path) && realpathSync(path).endsWith('npm-cli.js')) return realpathSync(path)
  }
  return null
}
