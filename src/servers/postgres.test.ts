import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { canReach, isRoot, unprivilegedAccount } from './accounts.ts'
import { freePort } from './ports.ts'
import { type PostgresOptions, startPostgres } from './postgres.ts'
import { identify } from './processes.ts'

const PROGRAM = `
const { startPostgres } = await import(${JSON.stringify(new URL('./postgres.ts', import.meta.url).href)})
try {
  const { url } = await startPostgres({ dir: process.argv[1], onProgress: (line) => console.log(line) })
  console.log(url)
  setInterval(() => {}, 1_000)
} catch (error) {
  console.log(error.message)
}
`

/** Another process that starts PostgreSQL, and the first line of its output that holds `word`. */
async function elsewhere(dir: string, word: string, account = {}): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...account,
  })
  let text = ''
  for await (const chunk of child.stdout) {
    text += chunk
    const line = text.split('\n').find((one) => one.includes(word))
    if (line !== undefined) return { child, line }
  }
  throw new Error(`No line with "${word}" in: ${text}`)
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end().catch(() => {})
  }
}

const serverPid = async (dir: string) => Number.parseInt(await readFile(join(dir, 'data/postmaster.pid'), 'utf8'), 10)

async function gone(pid: number, withinMs: number): Promise<boolean> {
  for (const until = Date.now() + withinMs; Date.now() < until; await sleep(20))
    if ((await identify(pid)) === undefined) return true
  return false
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

describe('startPostgres', () => {
  let root = ''
  let dir = ''

  before(async () => {
    // Nobody but its owner may enter it, as it is with a checkout in root's home.
    root = await mkdtemp(join(tmpdir(), 'tendril-postgres-'))
    dir = join(root, 'shared')
    await (await startPostgres({ dir })).stop()
  })

  after(() => rm(root, { recursive: true, force: true }))

  const running = new Set<() => Promise<void>>()
  const start = async (options: PostgresOptions) => {
    const server = await startPostgres(options)
    running.add(server.stop)
    return server
  }
  // A test that fails must not fail those after it.
  afterEach(async () => {
    for (const stop of running) await stop()
    running.clear()
  })

  it('serves a UTF-8 database called tendril that is safe against a power cut', async () => {
    const { url, stop } = await start({ dir })
    const settings = `SELECT current_database(), current_setting('server_encoding'), current_setting('fsync'),
      current_setting('full_page_writes'), current_setting('synchronous_commit'), upper('é'), now()::text LIKE '%+00'`
    assert.deepEqual(await query(url, settings), ['tendril', 'UTF8', 'on', 'on', 'on', 'É', true])
    for (const name of ['pg_trgm', 'pgcrypto', 'dblink']) await query(url, `CREATE EXTENSION ${name}`)
    await stop()
  })

  it('asks for the password, and keeps it where only its owner reads it', async () => {
    const { url, stop } = await start({ dir })
    await assert.rejects(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1'), /password authentication failed/)
    assert.equal((await stat(join(dir, 'password'))).mode & 0o777, 0o600)
    await stop()
  })

  it('keeps its data, and starts again within a second and a half', async () => {
    const first = await start({ dir })
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await first.stop()
    await assert.rejects(query(first.url, 'SELECT 1'), { code: 'ECONNREFUSED' })
    const times: number[] = []
    for (const _ of [1, 2]) {
      const begun = Date.now()
      const again = await start({ dir })
      times.push(Date.now() - begun)
      assert.deepEqual(await query(again.url, 'SELECT answer FROM kept'), [42])
      await again.stop()
    }
    assert.ok(Math.min(...times) < 1_500, `${times} ms`)
  })

  it('ends with its process when that is killed, and starts again at once', async () => {
    const { child, line: url } = await elsewhere(dir, 'postgresql://')
    await query(url, 'CREATE TABLE survivor AS SELECT 1')
    const pid = await serverPid(dir)
    assert.ok(await identify(pid))
    await killed(child)
    const again = await start({ dir })
    assert.deepEqual(await query(again.url, 'SELECT count(*)::int FROM survivor'), [1])
    assert.ok(await gone(pid, 1), 'the first server still runs')
    await again.stop()
  })

  it('leaves no orphan when nobody starts it again', async () => {
    const { child } = await elsewhere(dir, 'postgresql://')
    const pid = await serverPid(dir)
    await killed(child)
    assert.ok(await gone(pid, 10_000), 'the server outlived its process')
  })

  it('recovers after the server itself was killed, and says that it ended', async () => {
    const { url, ended, stop } = await start({ dir })
    await query(url, 'CREATE TABLE crashed AS SELECT 7 AS n')
    process.kill(await serverPid(dir), 'SIGKILL')
    await ended
    await stop()
    const again = await start({ dir })
    assert.deepEqual(await query(again.url, 'SELECT n FROM crashed'), [7])
    await again.stop()
  })

  it('refuses a second start on the same directory, in this process and in another', async () => {
    const { url, stop } = await start({ dir })
    await assert.rejects(startPostgres({ dir }), /is in use by another Tendril \(process \d+\)/)
    const { child, line } = await elsewhere(dir, 'in use')
    assert.match(line, new RegExp(`process ${process.pid}\\)`))
    await killed(child)
    assert.deepEqual(await query(url, 'SELECT 1'), [1])
    await stop()
  })

  it('is not stopped by what a dead server or owner left behind, though its number is in use again', async () => {
    await writeFile(join(dir, 'owner'), `${process.pid} 1 another-boot`)
    await writeFile(
      join(dir, 'data/postmaster.pid'),
      `${process.ppid}\n${join(dir, 'data')}\n1700000000\n5432\n\n127.0.0.1\n\n`,
    )
    const { url, stop } = await start({ dir })
    assert.deepEqual(await query(url, 'SELECT 1'), [1])
    await stop()
  })

  it('listens on the port given, and says so when that is taken', async () => {
    const port = await freePort()
    const { url, stop } = await start({ dir, port })
    assert.equal(new URL(url).port, String(port))
    await stop()
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    await assert.rejects(startPostgres({ dir, port }), { message: new RegExp(`^Port ${port} on 127.0.0.1 is taken`) })
    other.close()
  })

  it('makes anew what a first start that was killed left half done', async () => {
    const fresh = join(root, 'half')
    const { child } = await elsewhere(fresh, 'Making')
    for (let n = 0; n < 500 && !(await readdir(fresh)).some((name) => name.startsWith('data.tmp-')); n++)
      await sleep(10)
    await sleep(150)
    await killed(child)
    const names = await readdir(fresh)
    assert.ok(
      names.some((name) => name.startsWith('data.tmp-')) && !names.includes('data'),
      `killed too late: ${names}`,
    )
    const { url, stop } = await start({ dir: fresh })
    assert.deepEqual(await query(url, 'SELECT 1'), [1])
    await stop()
    assert.deepEqual((await readdir(fresh)).sort(), ['data', 'password', 'postgres.log'])
  })

  it('leaves a directory alone that holds something else', async () => {
    for (const [name, inside] of [
      ['notes', 'notes.txt'],
      ['alien', 'data/notes.txt'],
    ] as const) {
      const foreign = join(root, name)
      await mkdir(join(foreign, inside, '..'), { recursive: true })
      await writeFile(join(foreign, inside), 'mine')
      await assert.rejects(startPostgres({ dir: foreign }), /holds something else .* Nothing in it was changed/)
      assert.equal(await readFile(join(foreign, inside), 'utf8'), 'mine')
      assert.equal((await readdir(foreign)).length, 1)
    }
  })

  it('runs for a user without rights too', { skip: isRoot() ? false : 'every other test did' }, async (t) => {
    const account = unprivilegedAccount()
    if (!account || !canReach(account, process.execPath)) return t.skip('the checkout is not readable for other users')
    const home = await mkdtemp(join(tmpdir(), 'tendril-user-'))
    const { chown } = await import('node:fs/promises')
    await chown(home, account.uid, account.gid)
    const { child, line } = await elsewhere(join(home, 'pg'), 'postgresql://', account)
    assert.deepEqual(await query(line, 'SELECT 1'), [1])
    const pid = await serverPid(join(home, 'pg'))
    await killed(child)
    assert.ok(await gone(pid, 10_000))
    await rm(home, { recursive: true, force: true })
  })
})
