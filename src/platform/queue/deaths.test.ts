import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLink } from '../../testing/faults/link.ts'
import { heard, kind, onBothStores } from '../../testing/queues.ts'
import { eventually } from '../../testing/receiver.ts'
import { createWrongClock, whyNoWrongClock } from '../../testing/wrong-clock.ts'
import { maxStarts } from './attempts.ts'

onBothStores('jobs whose process dies', ({ mongoUrl, world, create, count, insert, spawnWorker, each }) => {
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
    const locks = `from pg_locks where locktype = 'advisory' and classid = ${0x71756575} and database = (select oid from pg_database where datname = current_database())`
    await eventually(async () => assert.equal((await world().app.sql.query(`select pid ${locks}`)).rows.length, 1))
    await eventually(() => queue.enqueue(kind, 'a', {}))
    await eventually(async () => {
      const { rows } = await world().app.sql.query('select worker from job_attempts where attempts > 0')
      assert.ok(rows[0]?.worker)
    })
    await world().app.sql.query(`select pg_terminate_backend(pid) ${locks}`)
    await eventually(async () => assert.ok(told))
  })

  each('a job that kills its worker is quarantined', async () => {
    const queue = create()
    queue.start()
    await eventually(() => queue.enqueue(kind, 'a', {}))
    await world().app.sql.query(
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

  each(
    'closing does not wait for a store that does not answer, and nothing is lost by it',
    async () => {
      const link = await createLink(Number(new URL(mongoUrl ?? '').port))
      const queue = create({ mongoUrl: `mongodb://127.0.0.1:${link.port}` })
      queue.define(kind, async (job) => {
        await sleep(200)
        return insert(job)
      })
      queue.start()
      const keys = Array.from({ length: 30 }, (_, place) => `k${place}`)
      const counts = () => Promise.all(keys.map(count))
      await eventually(() => queue.enqueueAll(keys.map((key) => ({ kind, key, data: {} }))))
      await eventually(async () => assert.ok((await counts()).includes(1)))
      link.hold()
      const begun = performance.now()
      await queue.close()
      const tookMs = performance.now() - begun
      link.close()
      assert.ok(tookMs < 8_000, `${tookMs} ms`)
      assert.ok((await counts()).includes(0), 'there was nothing left to lose')

      const next = create()
      next.define(kind, insert)
      next.start()
      await eventually(async () => assert.deepEqual(await counts(), Array(30).fill(1)), 20_000)
    },
    mongoUrl ? false : 'What PostgreSQL keeps cannot be away while PostgreSQL is there',
  )
})
