import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlTransaction } from '../src/context.ts'
import { emit } from '../src/event.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { type Process, startProcess } from '../src/testing/faults/processes.ts'
import { leaderOf } from '../src/testing/faults/stage.ts'
import { numbersOf, relayByHand, take, tick, tickTimes, upTo } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Relay, startRelay, trimLog } from './relay.ts'

let world: World

type LogRow = { seq: string; prev: string; projectId: string; payload: { thing: string; n: number } }

async function readLog(): Promise<LogRow[]> {
  return (await world.app.sql.query<LogRow>('select seq, prev, "projectId", payload from events.log order by seq')).rows
}

async function until(what: string, check: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<number> {
  const begun = performance.now()
  while (!(await check())) {
    if (performance.now() - begun > withinMs) throw new Error(`${what}: not within ${withinMs} ms`)
    await sleep(10)
  }
  return performance.now() - begun
}

const outboxIsEmpty = async () => (await world.app.sql.query('select from events.outbox limit 1')).rows.length === 0

describe('numbering', () => {
  let relay: Relay
  before(async () => {
    world = await createWorld({ DATABASE_POOL: '20' })
    await world.app.sql.query('create table things (id text primary key, n int not null default 0)')
    relay = startRelay(world.app)
  })
  after(async () => {
    await relay.stop()
    await world.close()
  })

  test('is gapless and in order under 16 writers who roll back, and joins miss and repeat nothing', async () => {
    const writers = 16
    const [each, projects] = [40, ['p0', 'p1', 'p2'] as const]
    const things = projects.flatMap((projectId) => [`${projectId}/a`, `${projectId}/b`])
    await world.app.sql.query('insert into things (id) select unnest($1::text[])', [things])
    let committed = 0
    const writer = async () => {
      for (let i = 0; i < each; i++) {
        const thing = things[Math.floor(Math.random() * things.length)] ?? ''
        const fails = Math.random() < 0.2
        const operation = sqlTransaction(world.context(thing.slice(0, 2)), async (tx) => {
          const [row] = await tx.query<{ n: number }>('update things set n = n + 1 where id = $1 returning n', [thing])
          await emit(tx, tick, { thing, n: row?.n ?? 0 })
          if (Math.random() < 0.2) await tx.query('select pg_sleep(0.01)')
          if (fails) throw new Error('rolled back')
        })
        await operation.then(
          () => committed++,
          () => {},
        )
      }
    }
    const writing = Promise.all(Array.from({ length: writers }, writer))
    // Listeners that come and go while all this happens, each going on where it was.
    const received: LoggedEvent[] = []
    let done = false
    const follow = async () => {
      while (!done) {
        const events = await world.app.tails.listen('p0', received.at(-1)?.seq ?? 0n)
        const leave = setTimeout(() => void events.return?.(), 20 + Math.random() * 50)
        for await (const event of events) received.push(event)
        clearTimeout(leave)
      }
    }
    const following = follow()
    await writing
    await until('the outbox is empty', outboxIsEmpty)
    const log = await readLog()
    const expected = log.filter(({ projectId }) => projectId === 'p0').map(({ seq }) => seq)
    await until('all is received', () => received.length >= expected.length)
    done = true
    await following

    assert.equal(log.length, committed)
    assert.deepEqual(
      log.map(({ seq }) => Number(seq)),
      upTo(committed, 1),
    )
    for (const projectId of projects) {
      const rows = log.filter((row) => row.projectId === projectId)
      assert.deepEqual(
        rows.map(({ prev }) => prev),
        ['0', ...rows.map(({ seq }) => seq).slice(0, -1)],
      )
    }
    for (const thing of things) {
      const counts = log.filter(({ payload }) => payload.thing === thing).map(({ payload }) => payload.n)
      assert.deepEqual(counts, upTo(counts.length, 1))
    }
    assert.deepEqual(
      received.map(({ seq }) => String(seq)),
      expected,
    )
  })

  test('an event is heard within a moment of its commit', async () => {
    const events = await world.app.tails.listen('quick', null)
    await tickTimes(world.context('quick'), 'thing', 0, 1)
    assert.deepEqual(numbersOf(await take(events, 1, 200)), [0])
    await events.return?.()
  })

  test('goes on when PostgreSQL ends its session', async () => {
    await world.app.sql.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'tendril-relay' and datname = current_database()`)
    await tickTimes(world.context('ended'), 'thing', 0, 3)
    await until('the outbox is empty', outboxIsEmpty)
    assert.equal((await readLog()).filter(({ projectId }) => projectId === 'ended').length, 3)
  })

  test('makes the partition that it lacks', async () => {
    await world.app.sql.query(`do $$ declare name text; begin
      for name in select inhrelid::regclass::text from pg_inherits where inhparent = 'events.log'::regclass
      loop execute 'drop table ' || name; end loop; end $$`)
    await tickTimes(world.context('no-partition'), 'thing', 0, 2)
    await until('the outbox is empty', outboxIsEmpty)
    assert.equal((await readLog()).length, 2)
  })
})

describe('without Redis', () => {
  test('numbers all the same', async () => {
    world = await createWorld()
    const relay = startRelay({ ...world.app, env: { ...world.env, REDIS_URL: 'redis://127.0.0.1:1' } })
    await tickTimes(world.context('p'), 'thing', 0, 5)
    const events = await world.app.tails.listen('p', 0n)
    assert.deepEqual(numbersOf(await take(events, 5, 3_000)), upTo(5))
    await events.return?.()
    await relay.stop()
    await world.close()
  })
})

describe('two logs on one Redis', () => {
  test('do not hear each other', async () => {
    world = await createWorld()
    const other = await createWorld()
    const relays = [startRelay(world.app), startRelay(other.app)]
    const [mine, theirs] = [await world.app.tails.listen('p', null), await other.app.tails.listen('p', null)]
    await tickTimes(world.context('p'), 'mine', 0, 3)
    await tickTimes(other.context('p'), 'theirs', 100, 3)
    assert.deepEqual(numbersOf(await take(mine, 3)), [0, 1, 2])
    assert.deepEqual(numbersOf(await take(theirs, 3)), [100, 101, 102])
    for (const events of [mine, theirs]) await events.return?.()
    for (const relay of relays) await relay.stop()
    await other.close()
    await world.close()
  })
})

describe('the lead', () => {
  let relays: Process[] = []
  beforeEach(async () => {
    world = await createWorld()
    const { DATABASE_URL, REDIS_URL } = world.env
    const env = { DATABASE_URL, REDIS_URL, SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'), LOG_LEVEL: 'info' }
    relays = [1, 2].map((n) =>
      startProcess({
        name: `relay-${n}`,
        file: 'workers/main.ts',
        args: ['--only', 'maintenance'],
        env: { ...env, DATABASE_URL: `${DATABASE_URL}?application_name=relay-${n}` },
        plantedBug: null,
        readyWhen: /workers run/,
      }),
    )
    await Promise.all(relays.map((relay) => relay.ready))
  })
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.kill()))
    await world.close()
  })

  const leader = async () => {
    const relay = relays[await leaderOf(world.app.sql)]
    assert.ok(relay)
    return relay
  }

  test('is taken over within a second when its holder is killed', async () => {
    const first = await leader()
    const begun = performance.now()
    const killed = first.kill()
    await tickTimes(world.context('p'), 'thing', 0, 3)
    const events = await world.app.tails.listen('p', 0n)
    assert.deepEqual(numbersOf(await take(events, 3)), [0, 1, 2])
    const took = performance.now() - begun
    assert.ok(took < 1_000, `It took ${took} ms.`)
    await killed
    await events.return?.()
  })

  test('is taken from a holder that is frozen, which then writes nothing', async () => {
    const frozen = await leader()
    frozen.child.kill('SIGSTOP')
    const isTaken = async () => (await leader()) !== frozen
    await tickTimes(world.context('p'), 'thing', 0, 5)
    const took = await until('another leads', isTaken)
    assert.ok(took > 1_500 && took < 4_000, `It took ${took} ms.`)
    frozen.child.kill('SIGCONT')
    await tickTimes(world.context('p'), 'thing', 5, 50)
    await until('the outbox is empty', outboxIsEmpty)
    assert.deepEqual(
      (await readLog()).map(({ payload }) => payload.n),
      upTo(55),
    )
    assert.ok(await isTaken())
  })
})

describe('trimming', () => {
  before(async () => {
    world = await createWorld()
  })
  after(() => world.close())

  /** Moves what is in the log to a day in the past. */
  async function age(days: number): Promise<void> {
    const byHand = await relayByHand(world)
    await tickTimes(world.context('p'), `day-${days}`, 0, 3)
    await byHand.number()
    await byHand.close()
    await world.app.sql.query(`do $$ declare
        today date := (now() at time zone 'utc')::date;
        past date := today - ${days};
        name text := 'log_' || to_char(past, 'YYYYMMDD');
      begin
        execute format('create table events.%I partition of events.log for values from (%L) to (%L)', name, past, past + 1);
        update events.log set day = past where day = today;
      end $$`)
  }
  const setConsumer = (seq: number) =>
    world.app.sql.query(
      `insert into consumers (name, seq) values ('bridge', $1) on conflict (name) do update set seq = excluded.seq`,
      [seq],
    )
  const seqs = async () => (await readLog()).map(({ seq }) => Number(seq))

  test('drops whole days, oldest first, never ahead of the slowest consumer', async () => {
    for (const days of [5, 4, 3, 1]) await age(days)
    await setConsumer(5)
    await world.app.sql.query(`insert into consumers (name, seq) values ('quick', 12)`)
    const first = await trimLog(world.app)
    assert.equal(first.dropped.length, 1)
    assert.equal(first.trimmed, 3n)
    assert.deepEqual(await seqs(), upTo(9, 4))
    await setConsumer(9)
    const second = await trimLog(world.app)
    assert.equal(second.dropped.length, 2)
    assert.deepEqual(await seqs(), [10, 11, 12])
    const { rows } = await world.app.sql.query<{ trimmed: string }>('select trimmed from events.head')
    assert.equal(rows[0]?.trimmed, '9')
    assert.deepEqual((await trimLog(world.app)).dropped, [])
    assert.deepEqual((await trimLog(world.app, 0)).dropped, [])
    await setConsumer(12)
    assert.equal((await trimLog(world.app, 0)).trimmed, 12n)
  })
})
