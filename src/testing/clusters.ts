import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { unprivilegedAccount } from '../servers/accounts.ts'
import { type Tied, tie } from '../servers/lifeline.ts'
import { freePort } from '../servers/ports.ts'

/** A PostgreSQL of this machine: the folder of its programs, and why tests on it are skipped, false where it is there. */
export type Release = { title: string; folder: string; skip: string | false }

/** Debian's, the oldest that Tendril works with. */
export const oldest = release('PostgreSQL 15', '/usr/lib/postgresql/15/bin', 'pg_basebackup')

/** One with pgvector, which neither Debian 12 nor npm carries: out of the package pgserver of PyPI, where `.ci/run` puts it. */
export const withVectors = release('PostgreSQL with pgvector', '/usr/local/lib/tendril-pgvector/pgserver/pginstall/bin')

function release(title: string, folder: string, ...programs: string[]): Release {
  const isThere = ['initdb', 'postgres', ...programs].every((name) => existsSync(join(folder, name)))
  return { title, folder, skip: !isThere && `this takes ${title}, not found in ${folder}` }
}

export type Cluster = {
  dir: string
  /** Runs one of its programs. */
  program: (name: string, ...args: string[]) => void
  /** Makes one of this name, and answers where it is. */
  create: (name: string) => string
  start: (data: string) => Promise<{ url: string; server: Tied }>
  remove: () => void
}

/** A folder for clusters of it, and what makes and starts them. */
export function createCluster({ folder }: Release): Cluster {
  const account = unprivilegedAccount()
  const dir = mkdtempSync(join(tmpdir(), 'tendril-cluster-'))
  if (account) chownSync(dir, account.uid, account.gid)
  const program = (name: string, ...args: string[]) => {
    const { status, stderr } = spawnSync(join(folder, name), args, { ...account, cwd: '/', encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  }
  const create = (name: string) => {
    const data = join(dir, name)
    const settings = ['-U', 'postgres', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8']
    program('initdb', '-D', data, ...settings)
    return data
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
  return { dir, program, create, start, remove: () => rmSync(dir, { recursive: true, force: true }) }
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
