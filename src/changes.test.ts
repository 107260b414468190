import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Relay, startRelay } from '../workers/relay.ts'
import { changes } from './changes.ts'
import { type Actor, type Context, sqlTransaction } from './context.ts'
import { encodeCursor } from './cursor.ts'
import { Invalid, ResyncRequired, Unauthenticated, Unavailable } from './errors.ts'
import { emit } from './event.ts'
import { sessionDeleted } from './modules/sessions/events.ts'
import { userUpdated } from './modules/users/events.ts'
import { createTails, TooSlow } from './tail.ts'
import { type Tick, tick, tickTimes, upTo, within } from './testing/stream.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
let relay: Relay
let project = 0

before(async () => {
  world = await createWorld()
  relay = startRelay(world.app)
})
after(async () => {
  await relay.stop()
  await world.close()
})

const newProject = () => `project-${++project}`
const ticksOf = (ctx: Context, after: string | null = null) =>
  changes(ctx, {
    after,
    needs: new Set(),
    select: ({ type, payload }) => (type === tick.name ? (payload as Tick) : null),
  })

async function takeOf<T>(stream: AsyncIterator<T>, count: number, withinMs = 3_000): Promise<T[]> {
  const taken: T[] = []
  while (taken.length < count) {
    const { done, value } = await within(stream.next(), withinMs, `only ${taken.length} of ${count} came`)
    if (done) throw new Error('The stream is over.')
    taken.push(value)
  }
  return taken
}

async function takeUntilCut(stream: AsyncIterable<Tick>, taken: number[]): Promise<unknown> {
  try {
    for await (const { n } of stream) taken.push(n)
  } catch (error) {
    return error
  }
  return null
}

const user: Actor = { kind: 'user', id: 'usr_1', sessionId: 'ses_1', verified: true, labels: [] }
const account: Actor = { kind: 'account', id: 'usr_2', sessionId: 'ses_2', role: 'OWNER' }

/** A caller whose credential a test can change while they listen. */
function callerOf(projectId: string, actor: Actor, read: () => Promise<Actor | null> | Actor | null) {
  const ctx: Context = {
    ...world.context(projectId, actor),
    reauthenticate: async () => {
      const found = await read()
      return found && { ...ctx, actor: found }
    },
  }
  return ctx
}

describe('what a caller gets', () => {
  test('is what select makes of each event, from the call on, and goes on after a cursor', async () => {
    const ctx = world.context(newProject())
    const stream = changes(ctx, {
      needs: new Set(),
      select: ({ payload }) => ((payload as Tick).n % 2 === 0 ? { n: (payload as Tick).n } : null),
    })
    await stream.opened
    await tickTimes(ctx, 'thing', 0, 6)
    const taken = await takeOf(stream, 3)
    assert.deepEqual(
      taken.map(({ n }) => n),
      [0, 2, 4],
    )
    await stream.return?.()
    const resumed = ticksOf(ctx, taken[1]?.cursor)
    assert.deepEqual(
      (await takeOf(resumed, 3)).map(({ n }) => n),
      [3, 4, 5],
    )
    await resumed.return?.()
  })

  test("follows the transport's memory before the operation's argument", async () => {
    const ctx = world.context(newProject())
    const first = ticksOf(ctx)
    await first.opened
    await tickTimes(ctx, 'thing', 0, 3)
    const taken = await takeOf(first, 3)
    await first.return?.()
    const again = ticksOf({ ...ctx, lastEventId: taken[1]?.cursor ?? '' }, taken[0]?.cursor)
    assert.deepEqual(
      (await takeOf(again, 1)).map(({ n }) => n),
      [2],
    )
    await again.return?.()
  })

  test('is refused for a forged cursor and for one of another project', async () => {
    const ctx = world.context(newProject())
    await assert.rejects(ticksOf(ctx, 'forged').next(), Invalid)
    const { epoch } = world.app.tails
    const foreign = encodeCursor(world.env.SECRET_KEYS, { epoch, projectId: 'other' }, 1n)
    await assert.rejects(ticksOf(ctx, foreign).opened, ResyncRequired)
    await assert.rejects(ticksOf(ctx, foreign).next(), ResyncRequired)
  })

  test('ends with its last cursor when they do not keep up', async () => {
    const { sql, log } = world.app
    const prefix = `tendril:${world.app.tails.epoch}:`
    const limits = { items: 8, bytes: 1_000_000, catchUpMs: 0 }
    const tails = await createTails({ sql, redisUrl: world.env.REDIS_URL, prefix, log, limits })
    const ctx = { ...world.context(newProject()), tails }
    const stream = ticksOf(ctx)
    await stream.opened
    await tickTimes(ctx, 'thing', 0, 1)
    await takeOf(stream, 1)
    await tickTimes(ctx, 'thing', 1, 50)
    await sleep(200)
    const before: number[] = []
    const error = await takeUntilCut(stream, before)
    assert.ok(error instanceof TooSlow)
    assert.equal(error.details.cursor, error.cursor)
    const resumed = ticksOf(ctx, error.cursor)
    const rest = (await takeOf(resumed, 50 - before.length)).map(({ n }) => n)
    assert.deepEqual([...before, ...rest], upTo(50, 1))
    await resumed.return?.()
    await tails.close()
  })
})

describe('leaving', () => {
  test('does not wait for the next event, begun or not', async () => {
    const stream = ticksOf(world.context(newProject()))
    const waiting = stream.next()
    await within(Promise.resolve(stream.return?.()), 500, 'it did not leave')
    assert.equal((await waiting).done, true)
    const neverBegun = ticksOf(world.context(newProject()))
    await within(Promise.resolve(neverBegun.return?.()), 500, 'it did not leave')
    assert.equal((await neverBegun.next()).done, true)
  })
})

describe('who the caller is', () => {
  const emitIn = (projectId: string, payload: { sessionId: string; userId: string }) =>
    sqlTransaction(world.context(projectId), (tx) => emit(tx, sessionDeleted, payload))

  test('is read again after an event about them: a session that has ended ends the stream, in a quiet project too', async () => {
    const projectId = newProject()
    let valid = true
    const stream = ticksOf(callerOf(projectId, user, () => (valid ? user : null)))
    await stream.opened
    const waiting = stream.next()
    waiting.catch(() => {})
    await sleep(100)
    valid = false
    await emitIn(projectId, { sessionId: 'ses_1', userId: 'usr_1' })
    await within(assert.rejects(waiting, Unauthenticated), 1_000, 'it did not end')
    assert.equal((await stream.next()).done, true)
  })

  test('is read once for all their streams, and all hear of it', async () => {
    const projectId = newProject()
    let reads = 0
    let valid = true
    const read = () => {
      reads += 1
      return valid ? user : null
    }
    const streams = Array.from({ length: 20 }, () => ticksOf(callerOf(projectId, user, read)))
    await Promise.all(streams.map(({ opened }) => opened))
    await tickTimes(world.context(projectId), 'thing', 0, 1)
    for (const stream of streams) await takeOf(stream, 1)
    const waiting = streams.map((stream) => stream.next())
    for (const one of waiting) one.catch(() => {})
    assert.ok(reads <= 2, `they were read ${reads} times`)
    valid = false
    await emitIn(projectId, { sessionId: 'ses_1', userId: 'usr_1' })
    for (const one of waiting) await within(assert.rejects(one, Unauthenticated), 1_000, 'one did not end')
    assert.ok(reads <= 4, `they were read ${reads} times`)
  })

  test('is not read again for what happens to others', async () => {
    const projectId = newProject()
    let reads = 0
    const stream = ticksOf(
      callerOf(projectId, user, () => {
        reads += 1
        return user
      }),
    )
    await stream.opened
    await emitIn(projectId, { sessionId: 'ses_9', userId: 'usr_9' })
    await tickTimes(world.context(projectId), 'thing', 0, 20)
    await takeOf(stream, 20)
    assert.equal(reads, 1)
    await stream.return?.()
  })

  test('is what select sees, from the event on that changed it', async () => {
    const projectId = newProject()
    let labels: string[] = []
    const ctx = callerOf(projectId, user, () => ({ ...user, labels }))
    const stream = changes(ctx, {
      needs: new Set(),
      select: ({ type }, { actor }) => ({ type, labels: actor?.kind === 'user' ? actor.labels : null }),
    })
    await stream.opened
    await tickTimes(ctx, 'thing', 0, 1)
    const before = await takeOf(stream, 1)
    labels = ['editor']
    await sqlTransaction(ctx, (tx) => emit(tx, userUpdated, { userId: 'usr_1' }))
    const [changed] = await takeOf(stream, 1)
    assert.deepEqual(before[0]?.labels, [])
    assert.deepEqual(changed?.labels, ['editor'])
    await stream.return?.()
  })

  test('a session revoked between the authentication and the stream delivers nothing', async () => {
    const projectId = newProject()
    const stream = ticksOf(callerOf(projectId, user, () => null))
    await assert.rejects(within(stream.next(), 1_000, 'it did not end'), Unauthenticated)
  })

  test("a member whose session ends in the console loses the project's stream, though nothing happens in it", async () => {
    const projectId = newProject()
    let valid = true
    const stream = ticksOf(callerOf(projectId, account, () => (valid ? account : null)))
    await stream.opened
    const waiting = stream.next()
    waiting.catch(() => {})
    await sleep(200)
    valid = false
    await emitIn('console', { sessionId: 'ses_2', userId: 'usr_2' })
    await within(assert.rejects(waiting, Unauthenticated), 1_000, 'it did not end')
  })

  test('nothing is delivered while nobody can say who they are', async () => {
    const projectId = newProject()
    let away = true
    const caller = callerOf(projectId, user, () => {
      if (away) throw new Unavailable('The database is away.')
      return user
    })
    const stream = ticksOf(caller)
    await stream.opened
    await tickTimes(world.context(projectId), 'thing', 0, 1)
    const waiting = stream.next()
    const first = await Promise.race([waiting, sleep(700, 'nothing')])
    assert.equal(first, 'nothing')
    away = false
    assert.equal((await within(waiting, 1_500, 'it did not come')).value?.n, 0)
    await stream.return?.()
  })
})
