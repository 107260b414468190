import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QueueProcess } from '../../testing/queue-process.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createWrongClock, whyNoWrongClock } from '../../testing/wrong-clock.ts'
import { maxStarts } from './attempts.ts'
import { createQueue, type Queue } from './queue.ts'

const backends = { postgres: undefined, mongo: process.env.MONGODB_URL }
const quick = { lockMs: 2_000, touchEveryMs: 300, pollEveryMs: 300 }
const kind = { name: 'effects.insert', concurrency: 5, retryAfterMs: [50, 50] }

for (const [name, mongoUrl] of Object.entries(backends)) {
  describe(`queue on ${name}`, { skip: name === 'mongo' && !mongoUrl && 'MONGODB_URL is not set' }, () => {
    let world: World
    let epoch = ''
    const queues: Queue[] = []
    const children: ChildProcess[] = []

    before(async () => {
      world = await createWorld()
      await world.app.sql.query('create table effects (key text, pid int)')
    })
    after(async () => {
      for (const child of children) child.kill('SIGKILL')
      await world.close()
    })

    /** Each test has its own epoch on MongoDB; on PostgreSQL they share the table and differ by key. */
    const create = (options = {}) => {
      const { sql, env, log } = world.app
      const queue = createQueue({ sql, log, redisUrl: env.REDIS_URL, mongoUrl, epoch, ...quick, ...options })
      queues.push(queue)
      return queue
    }
    const count = async (key: string) =>
      (await world.app.sql.query('select 1 from effects where key = $1', [key])).rows.length
    const insert = async ({ key }: { key: string }) => {
      await world.app.sql.query('insert into effects (key, pid) values ($1, 0)', [key])
      return undefined
    }
    const spawnWorker = (what: QueueProcess['what'], env = {}, times: Partial<QueueProcess> = {}) => {
      const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = world.env
      const options: QueueProcess = { databaseUrl, redisUrl, mongoUrl, epoch, ...quick, ...times, what }
      const file = join(import.meta.dirname, '../../testing/queue-process.ts')
      const child = spawn(process.execPath, [file, JSON.stringify(options)], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      children.push(child)
      return child
    }
    const closeAll = async () => {
      await Promise.all(queues.splice(0).map((queue) => queue.close(1_000)))
      for (const child of children.splice(0)) child.kill('SIGKILL')
      await world.app.sql.query('drop table if exists agenda_jobs; truncate job_attempts; truncate effects')
    }
    const each = (title: string, body: () => Promise<void>, skip: string | false = false) =>
      test(title, { skip }, async () => {
        epoch = crypto.randomUUID()
        await body().finally(closeAll)
      })

    each('enqueued twice it runs once; a finished job is not kept, and not armed again, whoever asks', async () => {
      const queue = create()
      queue.define(kind, insert)
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await queue.enqueue(kind, 'a', {})
      await eventually(async () => assert.equal(await count('a'), 1))
      await queue.enqueue(kind, 'a', {})
      const other = create()
      other.start()
      await eventually(() => other.enqueue(kind, 'a', {}))
      await sleep(700)
      assert.equal(await count('a'), 1)
      assert.equal((await queue.page({ first: 10 })).length, 0)
    })

    each('what is due is counted by name', async () => {
      const queue = create()
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await queue.enqueue(kind, 'b', {})
      const [depth, ...more] = await queue.depths()
      assert.deepEqual([depth?.name, depth?.due, depth?.running, more], [kind.name, 2, 0, []])
      assert.ok(depth && depth.lagSeconds >= 0 && depth.lagSeconds < 60)
    })

    each('a backlog waits for no poll, however few may run at a time', async () => {
      const far = create({ pollEveryMs: 60_000 })
      far.start()
      const slow = { ...kind, concurrency: 1 }
      const keys = Array.from({ length: 20 }, (_, i) => `b${i}`)
      await eventually(() => far.enqueueAll(keys.map((key) => ({ kind: slow, key, data: {} }))))
      const queue = create({ pollEveryMs: 60_000 })
      queue.define(slow, insert)
      queue.start()
      const all = async () => (await world.app.sql.query('select 1 from effects')).rows.length
      await eventually(async () => assert.equal(await all(), keys.length))
    })

    each('a job that is owed is armed again', async () => {
      const queue = create()
      queue.define(kind, insert)
      queue.start()
      await eventually(() => queue.revive(kind, 'a', {}))
      await eventually(async () => assert.equal(await count('a'), 1))
      await eventually(async () => assert.equal((await queue.page({ first: 1 })).length, 0))
      await queue.revive(kind, 'a', {})
      await eventually(async () => assert.equal(await count('a'), 2))
    })

    each('a failure is tried again by the schedule, then given up once', async () => {
      const queue = create()
      let runs = 0
      const givenUp: string[] = []
      queue.define(
        kind,
        async () => {
          runs += 1
          throw new Error('no')
        },
        async ({ key }, reason) => void givenUp.push(`${key} ${reason}`),
      )
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await eventually(async () => assert.equal(givenUp.length, 1))
      await sleep(700)
      assert.deepEqual([runs, givenUp], [3, ['a no']])
      const { rows } = await world.app.sql.query('select "quarantinedAt", error from job_attempts')
      assert.ok(rows[0].quarantinedAt)
      assert.equal(rows[0].error, 'no')
    })

    each('a run that answers a time runs again then', async () => {
      const queue = create()
      const times: number[] = []
      queue.define(kind, async () => {
        times.push(Date.now())
        return times.length < 3 ? { again: new Date(Date.now() + 200) } : undefined
      })
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await eventually(async () => assert.equal(times.length, 3))
      assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 190)
    })

    each('two processes that claim the same job have its effect once', async () => {
      const queue = create()
      let inside = 0
      let most = 0
      const slow = async (job: { key: string }) => {
        inside += 1
        most = Math.max(most, inside)
        await sleep(300)
        await insert(job)
        inside -= 1
        return undefined
      }
      const other = create()
      for (const each of [queue, other]) each.define(kind, slow)
      queue.start()
      other.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await eventually(async () => assert.equal(inside, 1))
      await unlockAll()
      await other.enqueue(kind, 'b', {})
      await eventually(async () => assert.equal(await count('b'), 1))
      await sleep(500)
      assert.equal(await count('a'), 1)
    })

    /** What a server does whose find-and-modify is not atomic: the job that runs can be taken by another. */
    const unlockAll = async () => {
      if (!mongoUrl) {
        await world.app.sql.query('update agenda_jobs set locked_at = null, next_run_at = now()')
        return
      }
      const { MongoClient } = await import('mongodb')
      const client = new MongoClient(mongoUrl)
      await client
        .db('tendril')
        .collection(`jobs_${epoch}`)
        .updateMany({}, { $set: { lockedAt: null, nextRunAt: new Date() } })
      await client.close()
    }

    each('a worker killed in the middle: another takes the job over, the effect comes once', async () => {
      const first = spawnWorker('hang')
      await heard(first, 'ready')
      const queue = create()
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await heard(first, 'started a')
      first.kill('SIGKILL')
      await once(first, 'exit')
      const second = spawnWorker('insert')
      await heard(second, 'started a')
      await eventually(async () => assert.equal(await count('a'), 1))
    })

    each('a worker that is killed with a job that it put down itself: another takes it over', async () => {
      const long = { lockMs: 60_000, touchEveryMs: 15_000 }
      const first = spawnWorker('hang', {}, { ...long, adds: 'a' })
      await heard(first, 'started a')
      first.kill('SIGKILL')
      await once(first, 'exit')
      const queue = create(long)
      queue.define(kind, insert)
      queue.start()
      await eventually(async () => assert.equal(await count('a'), 1), 20_000)
    })

    each('of jobs that are put down together no more run at once than may, and all run', async () => {
      const queue = create()
      let inside = 0
      let most = 0
      queue.define({ ...kind, concurrency: 2 }, async (job) => {
        inside += 1
        most = Math.max(most, inside)
        await sleep(30)
        inside -= 1
        return insert(job)
      })
      queue.start()
      const keys = Array.from({ length: 12 }, (_, place) => `k${place}`)
      await eventually(() => queue.enqueueAll(keys.map((key) => ({ kind, key, data: {} }))))
      await eventually(async () => assert.deepEqual(await Promise.all(keys.map(count)), Array(12).fill(1)))
      await eventually(async () => assert.equal((await queue.page({ first: 20 })).length, 0))
      assert.equal(most, 2)
    })

    each(
      'a worker whose clock is ahead starts a job at once; killed, it has put the job off for nobody',
      async () => {
        const dir = mkdtempSync(join(tmpdir(), 'tendril-clock-'))
        const clock = createWrongClock(join(dir, 'clock'))
        clock.set(3_600)
        const ahead = spawnWorker('hang', clock.env)
        await heard(ahead, 'ready')
        const queue = create()
        queue.start()
        await eventually(() => queue.enqueue(kind, 'a', {}))
        await heard(ahead, 'started a')
        ahead.kill('SIGKILL')
        await once(ahead, 'exit')
        const other = create()
        other.define(kind, insert)
        other.start()
        await eventually(async () => {
          await other.prepare()
          assert.equal(await count('a'), 1)
        })
        rmSync(dir, { recursive: true })
      },
      whyNoWrongClock ?? false,
    )

    each('the jobs of a worker that died are taken over in a moment, however long its locks last', async () => {
      const long = { lockMs: 60_000, touchEveryMs: 15_000 }
      const first = spawnWorker('hang', {}, long)
      await heard(first, 'ready')
      const queue = create(long)
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await heard(first, 'started a')
      first.kill('SIGKILL')
      await once(first, 'exit')
      queue.define(kind, insert)
      await eventually(async () => assert.equal(await count('a'), 1), 20_000)
    })

    each('a run whose session PostgreSQL has ended is told so', async () => {
      const queue = create({ lockMs: 60_000, touchEveryMs: 15_000 })
      let told = false
      queue.define(kind, async ({ signal }) => {
        await once(signal, 'abort')
        told = true
        throw signal.reason
      })
      queue.start()
      const locks = `from pg_locks where locktype = 'advisory' and classid = 0x71756575 and database = (select oid from pg_database where datname = current_database())`
      await eventually(async () => assert.equal((await world.app.sql.query(`select pid ${locks}`)).rows.length, 1))
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await eventually(async () => {
        const { rows } = await world.app.sql.query('select worker from job_attempts where attempts > 0')
        assert.ok(rows[0]?.worker)
      })
      await world.app.sql.query(`select pg_terminate_backend(pid) ${locks}`)
      await eventually(async () => assert.ok(told))
    })

    each('a job that kills its worker is quarantined', async () => {
      const queue = create()
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await world.app.sql.query(
        `insert into job_attempts (job, attempts, at) values ($1, $2, now() - interval '1 h')`,
        ['effects.insert:a', maxStarts - 1],
      )
      const killer = spawnWorker('die')
      await once(killer, 'exit')
      const givenUp: string[] = []
      const survivor = create()
      survivor.define(kind, insert, async ({ key }) => void givenUp.push(key))
      survivor.start()
      await eventually(async () => assert.deepEqual(givenUp, ['a']), 8_000)
      assert.equal(await count('a'), 0)
    })

    each('closing waits for what runs and gives back what waits', async () => {
      const queue = create()
      queue.define({ ...kind, concurrency: 1 }, async (job) => {
        await sleep(400)
        return insert(job)
      })
      queue.start()
      await eventually(() => queue.enqueue(kind, 'a', {}))
      await queue.enqueue(kind, 'b', {})
      await sleep(150)
      await queue.close()
      assert.equal((await count('a')) + (await count('b')), 1)
      const next = create()
      next.define(kind, insert)
      next.start()
      await eventually(async () => assert.equal((await count('a')) + (await count('b')), 2), 1_500)
    })

    each(
      'closing gives back a job whose claim is under way',
      async () => {
        const setter = create()
        setter.start()
        await eventually(() => setter.enqueue(kind, 'a', {}))
        const client = await world.app.sql.connect()
        await client.query('begin; lock table agenda_jobs in exclusive mode')
        const queue = create({ lockMs: 60_000 })
        queue.define(kind, insert)
        queue.start()
        const waits = `select from pg_locks where not granted and relation = 'agenda_jobs'::regclass`
        await eventually(async () => assert.equal((await client.query(waits)).rows.length, 1))
        const begun = performance.now()
        const closed = queue.close()
        await sleep(50)
        await client.query('commit')
        client.release()
        await closed
        assert.ok(performance.now() - begun < 3_000)
        const { rows } = await world.app.sql.query('select locked_at as "lockedAt" from agenda_jobs')
        assert.deepEqual([rows, await count('a')], [[{ lockedAt: null }], 0])
      },
      mongoUrl ? 'There is no lock to hold a claim up' : false,
    )

    each('a lone job starts at once', async () => {
      const queue = create({ pollEveryMs: 5_000 })
      const started = new Map<string, number>()
      queue.define(kind, async ({ key }) => void started.set(key, performance.now()) as undefined)
      queue.start()
      await eventually(() => queue.enqueue(kind, 'warm', {}))
      const waits: number[] = []
      for (let i = 0; i < 30; i++) {
        const at = performance.now()
        await queue.enqueue(kind, `k${i}`, {})
        while (!started.has(`k${i}`)) await sleep(1)
        waits.push((started.get(`k${i}`) ?? 0) - at)
        await sleep(20)
      }
      const p50 = waits.sort((a, b) => a - b)[15] ?? Infinity
      process.stdout.write(`# lone job on ${name}: p50 ${p50.toFixed(1)} ms\n`)
      assert.ok(p50 < 1_000, `${p50} ms`)
    })
  })
}

async function heard(child: ChildProcess, text: string, timeoutMs = 20_000): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  let output = ''
  while (!output.includes(text)) {
    assert.ok(child.stdout)
    const [chunk] = await once(child.stdout, 'data', { signal })
    output += chunk
  }
}

async function eventually(check: () => Promise<unknown>, timeoutMs = 5_000): Promise<void> {
  const end = Date.now() + timeoutMs
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await sleep(20)
    }
  }
}
