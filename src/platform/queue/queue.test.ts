import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { kind, onBothStores } from '../../testing/queues.ts'
import { eventually } from '../../testing/receiver.ts'

onBothStores('queue', ({ name, mongoUrl, world, epoch, create, count, insert, each }) => {
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
    const all = async () => (await world().app.sql.query('select 1 from effects')).rows.length
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
    const { rows } = await world().app.sql.query('select "quarantinedAt", error from job_attempts')
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

  each('what is to run again soon waits for no poll, whether it said so or failed', async () => {
    const queue = create({ pollEveryMs: 60_000 })
    const times: number[] = []
    queue.define({ ...kind, retryAfterMs: [200, 200] }, async () => {
      times.push(Date.now())
      if (times.length === 1) return { again: new Date(Date.now() + 200) }
      if (times.length === 2) throw new Error('no')
      return undefined
    })
    queue.start()
    await eventually(() => queue.enqueue(kind, 'a', {}))
    await eventually(async () => assert.equal(times.length, 3))
    const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0))
    assert.ok(
      waits.every((ms) => ms >= 170 && ms < 1_500),
      `${waits}`,
    )
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
      await world().app.sql.query('update agenda_jobs set locked_at = null, next_run_at = now()')
      return
    }
    const { MongoClient } = await import('mongodb')
    const client = new MongoClient(mongoUrl)
    await client
      .db('tendril')
      .collection(`jobs_${epoch()}`)
      .updateMany({}, { $set: { lockedAt: null, nextRunAt: new Date() } })
    await client.close()
  }

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
      const client = await world().app.sql.connect()
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
      const { rows } = await world().app.sql.query('select locked_at as "lockedAt" from agenda_jobs')
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
