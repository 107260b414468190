import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chown, mkdir, open, readdir, readFile, readlink, realpath, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, accountOwning, canReach, unprivilegedAccount } from './accounts.ts'
import { alreadyUsed, writeOnce } from './claims.ts'
import { type TieOptions, tie } from './lifeline.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { exists } from './processes.ts'

/** The folder of one PostgreSQL: `data`, the superuser's `password`, who uses it, and the server's log. */
export type PostgresHome = { dir: string; data: string; bin: string; account: Account | undefined; password: string }

const OURS = /^(data|password|owner|postgres\.log|initdb\.log|lost\+found|.*\.tmp-[0-9a-f]+)$/

/** Makes the folder, or recognises its own. Anything else is left exactly as it is. */
export async function openDirectory(dir: string): Promise<{ initialised: boolean }> {
  await mkdir(dir, { recursive: true, mode: 0o711 })
  const names = await readdir(dir)
  const foreign = names.find((name) => !OURS.test(name))
  const version = await readFile(join(dir, 'data/PG_VERSION'), 'utf8').catch(() => undefined)
  if (foreign !== undefined || (names.includes('data') && version === undefined)) {
    throw new Error(
      `${dir} holds something else than Tendril's PostgreSQL (${foreign ?? 'data'}): choose an empty directory. Nothing in it was changed.`,
    )
  }
  return { initialised: version !== undefined }
}

/**
 * How PostgreSQL is told where its data is. Below a folder that its account may not enter (root's home, say) no path
 * leads there, but the directory in which it was started still is its own.
 */
export function placed(data: string, account: Account | undefined): { cwd: string; path: string } {
  if (canReach(account, data)) return { cwd: data, path: data }
  if (process.platform === 'linux') return { cwd: data, path: '/proc/self/cwd' }
  throw new Error(
    `The user that PostgreSQL runs as cannot enter ${data}: choose a directory that every user may reach.`,
  )
}

/** The initdb of a start that was killed may still be at work for a moment. */
const SOON = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }

async function removeDrafts(dir: string): Promise<void> {
  const drafts = (await readdir(dir)).filter((name) => name.includes('.tmp-'))
  for (const draft of drafts) await rm(join(dir, draft), SOON)
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

/** Everything is made beside its place and moved there when whole, so that a start that was killed leaves nothing to repair. */
async function initialise(dir: string, bin: string, account: Account | undefined): Promise<void> {
  await removeDrafts(dir)
  await writeOnce(join(dir, 'password'), `${randomBytes(24).toString('base64url')}\n`)
  const password = await readFile(join(dir, 'password'), 'utf8')
  const draft = join(dir, `data.tmp-${randomBytes(6).toString('hex')}`)
  await mkdir(draft, { mode: 0o700 })
  if (account) await chown(draft, account.uid, account.gid)
  const { cwd, path } = placed(draft, account)
  const flags = ['-D', path, '-U', 'tendril', '-E', 'UTF8', '-A', 'scram-sha-256', '--no-instructions']
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const options: TieOptions = {
    cwd,
    account,
    logFile: join(dir, 'initdb.log'),
    stopSignal: 'TERM',
    env: { TZ: 'UTC' },
    // Asked for twice, and read from here because there is no terminal: so it stands in no argument and in no file but ours.
    input: `${password}${password}`,
  }
  const initdb = await tie(join(bin, 'initdb'), [...flags, ...locale, '-W'], options)
  const { code, signal } = await initdb.ended
  if (code !== 0) {
    await rm(draft, { recursive: true, force: true })
    throw new Error(
      `PostgreSQL could not make its data in ${dir} (initdb ended with ${signal ?? code}):\n${initdb.log().trim()}`,
    )
  }
  await rename(draft, join(dir, 'data'))
  await syncDirectory(dir)
  await rm(join(dir, 'initdb.log'), { force: true })
}

/** A directory in which a server can be started at once: data of the right version, and the account that it belongs to. */
export async function preparePostgres(
  dir: string,
  initialised: boolean,
  onProgress: (line: string) => void,
): Promise<PostgresHome> {
  const data = join(dir, 'data')
  const account = initialised ? await accountOwning(data) : unprivilegedAccount()
  const { bin, major } = await postgresBinaries(account)
  if (!initialised) {
    onProgress('Making a PostgreSQL database')
    await initialise(dir, bin, account)
  }
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim()
  if (version !== major)
    throw new Error(
      `The data in ${dir} is of PostgreSQL ${version}, and this is PostgreSQL ${major}: move it over with pg_dump.`,
    )
  const password = await readFile(join(dir, 'password'), 'utf8').catch((cause: unknown) => {
    throw new Error(`The password of the PostgreSQL in ${dir} is missing: put the file "password" back.`, { cause })
  })
  return { dir, data, bin, account, password: password.trim() }
}

async function isPostgresIn(data: string, pid: number): Promise<boolean> {
  if (!exists(pid)) return false
  if (process.platform !== 'linux') return true
  const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
  const place = await readlink(`/proc/${pid}/cwd`).catch(() => '')
  return program.trim() === 'postgres' && place === (await realpath(data))
}

/**
 * PostgreSQL itself sees when no process has the number in its lock; that another one has it by now, only we can see. We
 * write ours there, which it knows not to be a rival because we start it, and leave the rest: by that it still finds
 * out whether some straggler of the former server is at work on the data.
 */
async function disown(lock: string): Promise<void> {
  const [, ...rest] = (await readFile(lock, 'utf8')).split('\n')
  const handle = await open(lock, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW)
  await handle.writeFile([process.pid, ...rest].join('\n')).finally(() => handle.close())
}

/**
 * After `kill -9` of its Tendril a server still needs a moment to end. After that, or when its process id was given to
 * some other program meanwhile, what it left in `postmaster.pid` means nothing.
 */
export async function awaitFormerServer(data: string, waitMs = 30_000): Promise<void> {
  const lock = join(data, 'postmaster.pid')
  const until = Date.now() + waitMs
  for (;;) {
    const pid = Number.parseInt(await readFile(lock, 'utf8').catch(() => ''), 10)
    if (!(pid > 0)) return
    if (!(await isPostgresIn(data, pid))) return exists(pid) ? disown(lock) : undefined
    if (Date.now() > until) throw alreadyUsed(data, String(pid))
    await sleep(50)
  }
}
