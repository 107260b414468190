/** What is put around a sandbox process: bubblewrap, and walls of the kernel's around memory. */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export type Command = {
  file: string
  args: string[]
  cwd: string
  env: Record<string, string>
  uid?: number
  gid?: number
}

/** Nobody: owns nothing. */
const nobody = 65_534
/** Nothing else of ours is to be seen. */
const isolatedVm = resolve(import.meta.dirname, '../../node_modules/isolated-vm')

/**
 * One heap of glibc's for all threads, which keeps what it has: what the first run of a process has read is then read into memory
 * that is there. Otherwise each thread takes its own from the kernel again, a page at a time, for each program.
 */
const env = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: `${4 * 1024 * 1024}` }

/** Why bubblewrap cannot be used here; null when it can. */
export function whyUnsealed(): string | null {
  const tried = spawnSync('bwrap', [...walls(), process.execPath, '--version'], { encoding: 'utf8', timeout: 10_000 })
  if (tried.error) return 'bubblewrap (bwrap) is not installed'
  return tried.status === 0 ? null : `bubblewrap is refused here: ${tried.stderr.trim().split('\n')[0]}`
}

function walls(): string[] {
  return [
    ...['--unshare-all', '--die-with-parent', '--clearenv'],
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--cap-drop', 'ALL', '--uid', String(nobody), '--gid', String(nobody)],
    ...systemFolders().flatMap(({ path, target }) =>
      target ? ['--symlink', target, path] : ['--ro-bind', path, path],
    ),
    ...[process.execPath, isolatedVm].flatMap((path) => ['--ro-bind', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--chdir', dirname(isolatedVm)],
  ]
}

/** Where the libraries of Node are. On merged systems /lib is a link into /usr. */
function systemFolders(): { path: string; target: string | null }[] {
  return ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/lib', '/lib64', '/etc/ssl/openssl.cnf']
    .filter((path) => existsSync(path))
    .map((path) => ({ path, target: lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null }))
}

/** Linux has prlimit; elsewhere only isolated-vm's own limits hold. */
const hasLimits = once(() => spawnSync('prlimit', ['--version']).status === 0)

function once<T>(work: () => T): () => T {
  let done: { value: T } | undefined
  return () => {
    done ??= { value: work() }
    return done.value
  }
}

/** `keepsDying`: what the tenant runs has ended process after process. */
type Options = { isSealed: boolean; isTrusted: boolean; memoryMb: number; keepsDying: boolean }

/** How a sandbox process is started. Its program comes over its standard input. */
export function sandboxCommand({ isSealed, isTrusted, memoryMb, keepsDying }: Options): Command {
  // Memory of data has a hard end only without a JIT, which wants more than it uses.
  const data = isTrusted ? [] : [`--data=${memoryMb * 1024 * 1024}`]
  // Heaps are small here: to share the work of collecting garbage among threads costs more than it saves.
  const flags = [
    '--no-node-snapshot',
    ...(isTrusted ? [] : ['--jitless']),
    '--single-threaded-gc',
    '--max-old-space-size=128',
    // Read at once: Node takes 10 ms longer to begin where a stream is its program.
    '-e',
    "new Function('require', require('fs').readFileSync(0, 'utf8'))(require)",
  ]
  const node = [process.execPath, ...flags]
  const wrapped = isSealed ? ['bwrap', ...walls(), ...node] : node
  const limited = hasLimits() ? ['prlimit', '--core=0', '--nofile=256', ...data, '--', ...wrapped] : wrapped
  // Behind everything of ours: what functions compute must not keep the API waiting. What will die again is behind the
  // functions of others too.
  const args = ['-n', keepsDying ? '15' : '5', ...limited]
  const identity = !isSealed && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  return { file: 'nice', args, cwd: dirname(isolatedVm), env, ...identity }
}
