import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { BuildFailed } from './failure.ts'
import type { Tell } from './lines.ts'

/** Whether packages have to be fetched: they are named, and the archive does not carry them. */
export function needsInstall(folder: string): boolean {
  return existsSync(join(folder, 'package-lock.json')) && !existsSync(join(folder, 'node_modules'))
}

/**
 * Installs what package-lock.json names with `npm ci`. `registry` is the path of a Unix socket behind which the configured
 * registry is, and nothing else; null where none is configured.
 */
export async function install(folder: string, npm: string | null, registry: string | null, tell: Tell): Promise<void> {
  if (registry === null)
    throw new BuildFailed(
      'The archive has a package-lock.json and no node_modules, and no registry is configured (NPM_REGISTRY): put node_modules into the archive.',
    )
  if (npm === null)
    throw new BuildFailed('There is no npm where functions are built: put node_modules into the archive.')
  requireRegistryOnly(folder)
  // It could name other programs for npm to run.
  rmSync(join(folder, '.npmrc'), { force: true })
  const door = await openDoor(registry)
  tell('npm ci')
  try {
    const code = await run(npm, folder, door.url, tell)
    if (code !== 0) throw new BuildFailed('npm ci failed: its last lines say why.')
  } finally {
    door.close()
  }
}

type Lock = { lockfileVersion?: number; packages?: Record<string, { resolved?: string; link?: boolean }> }

function requireRegistryOnly(folder: string): void {
  const { lockfileVersion = 1, packages = {} } = readLock(folder)
  if (lockfileVersion < 2)
    throw new BuildFailed('package-lock.json is of an old version: write it anew with npm 7 or newer.')
  for (const [name, { resolved, link }] of Object.entries(packages)) {
    const isFetched = !link && (resolved === undefined || /^https?:\/\//.test(resolved))
    if (!isFetched || resolved?.includes('.git#'))
      throw new BuildFailed(
        `package-lock.json: ${name} comes from ${resolved ?? 'elsewhere'}. Packages are installed from the registry only: put node_modules into the archive.`,
      )
  }
}

function readLock(folder: string): Lock {
  try {
    return JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
  } catch {
    throw new BuildFailed('package-lock.json is no JSON.')
  }
}

/** The registry as npm reaches it: npm speaks to ports only, and a sealed build has no way out but the socket. */
async function openDoor(socketPath: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((req, res) => {
    const { accept = '*/*' } = req.headers
    const onward = request({ socketPath, path: req.url, method: req.method, headers: { host: 'registry', accept } })
    onward.on('response', (answer) => answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers)))
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--loglevel=error']

function run(npm: string, cwd: string, registry: string, tell: Tell): Promise<number | null> {
  const args = ['ci', '--ignore-scripts', '--omit=dev', '--fetch-retries=1', '--fetch-retry-mintimeout=500', ...quiet]
  const where = [`--registry=${registry}`, '--replace-registry-host=always', `--cache=${join(cwd, '..', 'npm')}`]
  // Files that are not there: what this machine has set for npm is none of the function's.
  const configs = [`--userconfig=${join(cwd, '..', 'none')}`, `--globalconfig=${join(cwd, '..', 'no')}`]
  const env = { PATH: [join(process.execPath, '..'), '/usr/bin', '/bin'].join(delimiter), HOME: join(cwd, '..') }
  const child = spawn(process.execPath, [npm, ...args, ...where, ...configs], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => tell(line, stream === child.stderr ? 'error' : 'log'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}
