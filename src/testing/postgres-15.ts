import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { unprivilegedAccount } from '../servers/accounts.ts'
import { findExecutable } from '../servers/executables.ts'
import { type Tied, tie } from '../servers/lifeline.ts'
import { freePort } from '../servers/ports.ts'

/** Debian's PostgreSQL, the oldest that Tendril works with. */
const folder = '/usr/lib/postgresql/15/bin'
const missing = ['initdb', 'postgres', 'pg_basebackup'].filter((name) => !findExecutable(name, folder))

/** Why tests on it are skipped, false where it is there. */
export const skip = missing.length > 0 && `this takes PostgreSQL 15's own ${missing.join(', ')}, not found in ${folder}`

export type Cluster = {
  dir: string
  /** Runs one of its programs. */
  program: (name: string, ...args: string[]) => void
  start: (data: string) => Promise<{ url: string; server: Tied }>
  remove: () => void
}

/** A folder for clusters of it, and what makes and starts them. */
export function createCluster(): Cluster {
  const account = unprivilegedAccount()
  const dir = mkdtempSync(join(tmpdir(), 'tendril-pg15-'))
  if (account) chownSync(dir, account.uid, account.gid)
  const program = (name: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(join(folder, name), args, { ...account, cwd: '/', encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  }
  const start = async (data: string) => {
    const port = await freePort()
    const options = { port, unix_socket_directories: dir, fsync: 'off', hot_standby: 'on', max_connections: 200 }
    const args = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const logFile = join(dir, `${port}.log`)
    const server = await tie(join(folder, 'postgres'), ['-D', data, ...args], { logFile, stopSignal: 'INT', account })
    const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
    for (let tries = 0; !(await answers(url)); tries += 1) {
      assert.ok(tries < 200 && !server.hasEnded(), server.log())
      await sleep(50)
    }
    return { url, server }
  }
  return { dir, program, start, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
