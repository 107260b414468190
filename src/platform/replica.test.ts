import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type App, createApp } from '../app.ts'
import { type Actor, sqlTransaction } from '../context.ts'
import { readSql } from '../documents/keeping.ts'
import type { Tied } from '../servers/lifeline.ts'
import { type Cluster, createCluster, oldest } from '../testing/clusters.ts'
import { createWorld, type World } from '../testing/world.ts'
import { createReplica, type Replica, replicaLimits } from './replica.ts'

let cluster: Cluster
let primary: { url: string; server: Tied }
let standby: { url: string; server: Tied }
let world: World
let app: App
let replica: Replica
const limits = { ...replicaLimits, lagMs: 1_500, lookEveryMs: 50 } as unknown as typeof replicaLimits

const onStandby = (sql: pg.Pool) =>
  sql.query('select pg_is_in_recovery() as yes').then(({ rows }) => rows[0]?.yes as boolean)

async function until(expected: boolean, reader = 'reader', withinMs = 5_000): Promise<void> {
  for (const end = performance.now() + withinMs; (await replica.read(reader, onStandby)) !== expected; ) {
    assert.ok(performance.now() < end, `reads did not come to be ${expected ? 'of the standby' : 'of the primary'}`)
    await sleep(20)
  }
}

describe('a streaming replica', { skip: oldest.skip }, () => {
  let standbyUrl: string
  before(async () => {
    cluster = createCluster(oldest)
    const data = (name: string) => join(cluster.dir, name)
    primary = await cluster.start(cluster.create('primary'))
    cluster.program('pg_basebackup', '-D', data('standby'), '-d', primary.url, '-R', '-c', 'fast', '--no-sync')
    standby = await cluster.start(data('standby'))
    const given = process.env.DATABASE_URL
    process.env.DATABASE_URL = primary.url
    world = await createWorld().finally(() => {
      process.env.DATABASE_URL = given
    })
    const { pathname } = new URL(world.env.DATABASE_URL)
    standbyUrl = Object.assign(new URL(standby.url), { pathname }).href
    app = await createApp({ ...world.env, DATABASE_REPLICA_URL: standbyUrl }, 'with a replica')
    const { sql, reserve, log } = app
    replica = createReplica({ url: standbyUrl, connections: 4, sql, reserve, log, limits })
  })
  after(async () => {
    await replica?.close()
    await app?.close()
    await world?.close()
    await standby?.server.stop()
    await primary?.server.stop()
    cluster.remove()
  })

  test('answers reads once it is known to be near; those who have just written read the primary', async () => {
    await until(true)
    replica.wrote('writer')
    assert.equal(await replica.read('writer', onStandby), false)
    assert.equal(await replica.read('reader', onStandby), true)
    assert.equal(await replica.read(null, onStandby), false)
    await sleep(limits.lagMs)
    await until(true, 'writer', 500)
  })

  test('is used by readSql, and shows everybody their own writes', async () => {
    const user = (id: string): Actor => ({ kind: 'user', id, sessionId: 's', verified: false, labels: [] })
    const context = (actor: Actor | null) => ({ ...world.context('console'), ...app, actor })
    const [ann, bob] = [context(user('usr_ann')), context(user('usr_bob'))]
    for (let tries = 0; !(await readSql(bob, onStandby)); tries += 1) {
      assert.ok(tries < 100)
      await sleep(50)
    }
    await sqlTransaction(ann, (tx) => tx.query('create table notes (n int)'))
    for (let n = 1; n <= 20; n += 1) {
      await sqlTransaction(ann, (tx) => tx.query('insert into notes values ($1)', [n]))
      const { rows } = await readSql(ann, (sql) => sql.query('select max(n) as n from notes'))
      assert.equal(rows[0]?.n, n)
    }
    assert.equal(await readSql(ann, onStandby), false)
    assert.equal(await readSql(bob, onStandby), true)
    assert.equal(await readSql(context({ kind: 'system', id: 'job' }), onStandby), false)
  })

  test('what it does not have yet is read from the primary, and it stays in use', async () => {
    await until(true)
    const admin = new pg.Client(standbyUrl)
    await admin.connect()
    await admin.query('select pg_wal_replay_pause()')
    await app.sql.query('create table fresh as select 1 as n')
    const { rows } = await replica.read('reader', (sql) => sql.query('select n from fresh'))
    assert.deepEqual(rows, [{ n: 1 }])
    assert.equal(await replica.read('reader', onStandby), true)
    await assert.rejects(
      replica.read('reader', (sql) => sql.query('select nonsense')),
      /nonsense/,
    )

    await until(false)
    await admin.query('select pg_wal_replay_resume()')
    await until(true)
    await admin.end()
  })

  test('stays in use while nothing is written', async () => {
    await until(true)
    await sleep(limits.lagMs * 2)
    assert.equal(await replica.read('reader', onStandby), true)
  })

  test('a server that is no standby of this database is not used', async () => {
    const { sql, reserve, log } = app
    for (const url of [world.env.DATABASE_URL, 'postgresql://postgres@127.0.0.1:1/none']) {
      const wrong = createReplica({ url, connections: 2, sql, reserve, log, limits })
      for (let i = 0; i < 10; i += 1) {
        const same = await wrong.read('reader', async (pool) => pool === sql)
        assert.equal(same, true)
        await sleep(30)
      }
      await wrong.close()
    }
  })

  test('when it dies, no read fails', async () => {
    await until(true)
    let stop = false
    const reading = (async () => {
      let reads = 0
      for (; !stop; reads += 1) await replica.read('reader', (sql) => sql.query('select pg_sleep(0.002)'))
      return reads
    })()
    await sleep(100)
    await standby.server.stop()
    await until(false)
    await sleep(100)
    stop = true
    assert.ok((await reading) > 10)
  })
})
