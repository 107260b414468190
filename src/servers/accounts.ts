import { spawnSync } from 'node:child_process'
import { stat } from 'node:fs/promises'

/** The operating system's user that a server runs as. */
export type Account = { uid: number; gid: number }

export const isRoot = () => process.getuid?.() === 0

function findAccount(name: string): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number.parseInt(spawnSync('id', [flag, name]).stdout?.toString() ?? '', 10),
  )
  return uid && gid ? { uid, gid } : undefined
}

function createAccount(name: string): Account | undefined {
  const made =
    spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name])
      .status === 0 || spawnSync('adduser', ['-S', '-D', '-H', name]).status === 0
  return made ? findAccount(name) : undefined
}

/** PostgreSQL refuses to run as root, and no other server needs to: root lends them an account without rights. */
export function unprivilegedAccount(): Account | undefined {
  if (!isRoot()) return undefined
  const account = findAccount('tendril') ?? findAccount('postgres') ?? createAccount('tendril') ?? findAccount('nobody')
  if (account) return account
  throw new Error(
    'PostgreSQL does not run as root, and no user could be made for it: add one called tendril, or start Tendril as another user.',
  )
}

/** What lies in a directory stays with whoever made it, so that a later start by root does not lock its maker out. */
export async function accountOwning(path: string): Promise<Account | undefined> {
  const { uid, gid } = await stat(path)
  if (isRoot()) {
    if (uid !== 0) return { uid, gid }
    throw new Error(
      `${path} belongs to root, as whom PostgreSQL does not run: give it to the user tendril or postgres.`,
    )
  }
  if (uid === process.getuid?.()) return undefined
  throw new Error(`${path} belongs to another user (uid ${uid}): start Tendril as that user or as root.`)
}

/** Whether every folder on the way to `path` lets that account through. */
export function canReach(account: Account | undefined, path: string): boolean {
  if (!account) return true
  return spawnSync('sh', ['-c', 'test -x "$1"', 'sh', path], { ...account, cwd: '/' }).status === 0
}
