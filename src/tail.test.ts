import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { ResyncRequired, Unavailable } from './errors.ts'
import { channelsOf } from './platform/pubsub.ts'
import { createTails, type Tails, TooSlow } from './tail.ts'
import { startKillableRedis } from './testing/faults/redis.ts'
import { type HandRelay, numbersOf, relayByHand, take, tick, tickTimes, upTo, within } from './testing/stream.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
let relay: HandRelay
let project = 0

before(async () => {
  world = await createWorld()
  relay = await relayByHand(world)
})
after(async () => {
  await relay.close()
  await world.close()
})

/** A project of its own for each test. */
const newProject = () => `project-${++project}`
const openTails = (
  more: { redisUrl?: string; limits?: Parameters<typeof createTails>[0]['limits']; lingerMs?: number } = {},
) =>
  createTails({
    sql: world.app.sql,
    redisUrl: world.env.REDIS_URL,
    prefix: `tendril:${world.app.tails.epoch}:`,
    log: world.app.log,
    ...(more as object),
  })

async function emitTicks(projectId: string, from: number, times: number, pad?: string) {
  await tickTimes(world.context(projectId), 'thing', from, times, pad)
  return relay.number()
}

describe('live', () => {
  test('what is published arrives in order, of that project alone, frozen', async () => {
    const [mine, other] = [newProject(), newProject()]
    const events = await world.app.tails.listen(mine, null)
    await relay.publish(await emitTicks(other, 0, 2))
    await relay.publish(await emitTicks(mine, 0, 3))
    const taken = await take(events, 3)
    assert.deepEqual(numbersOf(taken), [0, 1, 2])
    assert.ok(
      taken.every((event) => event.projectId === mine && Object.isFrozen(event) && Object.isFrozen(event.payload)),
    )
    assert.ok(taken[0]?.at instanceof Date)
    assert.deepEqual(
      taken.map(({ prev }) => prev),
      [0n, taken[0]?.seq, taken[1]?.seq],
    )
    await events.return?.()
  })

  test('lost messages are read from the log, and repeated ones are dropped', async () => {
    const projectId = newProject()
    const events = await world.app.tails.listen(projectId, null)
    const all = await emitTicks(projectId, 0, 10)
    await relay.publish([...all.slice(0, 2), ...all.slice(0, 2), ...all.slice(8)])
    assert.deepEqual(numbersOf(await take(events, 10)), upTo(10))
    await relay.publish(await emitTicks(projectId, 10, 1))
    assert.deepEqual(numbersOf(await take(events, 1)), [10])
    await events.return?.()
  })

  test('the loss of the last message is noticed by the heartbeat in less than a second', async () => {
    const projectId = newProject()
    const events = await world.app.tails.listen(projectId, null)
    const all = await emitTicks(projectId, 0, 3)
    await relay.publish(all.slice(0, 2))
    assert.deepEqual(numbersOf(await take(events, 2)), [0, 1])
    await relay.heartbeat({ [projectId]: all.at(-1)?.seq ?? '' })
    assert.deepEqual(numbersOf(await take(events, 1, 900)), [2])
    await events.return?.()
  })

  test('without any word from the relay the log is asked', async () => {
    const projectId = newProject()
    const events = await world.app.tails.listen(projectId, null)
    await emitTicks(projectId, 0, 3)
    assert.deepEqual(numbersOf(await take(events, 3, 2_500)), [0, 1, 2])
    await events.return?.()
  })

  test('a payload too large for Redis is read from the log', async () => {
    const projectId = newProject()
    const events = await world.app.tails.listen(projectId, null)
    const all = await emitTicks(projectId, 0, 1, 'x'.repeat(100_000))
    assert.equal(all[0]?.payload, null)
    await relay.publish(all)
    const [event] = await take(events, 1, 900)
    assert.equal(tick.payload.parse(event?.payload).pad?.length, 100_000)
    await events.return?.()
  })

  test('garbage on the channel harms nobody', async () => {
    const projectId = newProject()
    const channel = channelsOf(`tendril:${world.app.tails.epoch}:`)
    const redis = new Redis(world.env.REDIS_URL)
    const events = await world.app.tails.listen(projectId, null)
    for (const text of ['', '{', 'null', '[]', '{"seq":"x"}', '{"seq":"1","prev":"0","projectId":"other"}', '7']) {
      await redis.publish(channel.project(projectId), text)
      await redis.publish(channel.heads, text)
    }
    redis.disconnect()
    await relay.publish(await emitTicks(projectId, 0, 1))
    assert.deepEqual(numbersOf(await take(events, 1, 900)), [0])
    await events.return?.()
  })
})

describe('joining', () => {
  test('goes on after a cursor, from memory or from the log', async () => {
    const projectId = newProject()
    const all = await emitTicks(projectId, 0, 1_200)
    const [inMemory, fresh] = [world.app.tails, await openTails()]
    const first = await inMemory.listen(projectId, 0n)
    assert.deepEqual(numbersOf(await take(first, 1_200)), upTo(1_200))
    for (const tails of [inMemory, fresh]) {
      const events = await tails.listen(projectId, BigInt(all[4]?.seq ?? 0))
      assert.deepEqual(numbersOf(await take(events, 1_195)), upTo(1_195, 5))
      await relay.publish([])
      await events.return?.()
    }
    await first.return?.()
    await fresh.close()
  })

  test('a cursor whose sequel is gone asks to read everything again; one with nothing lost after it does not', async () => {
    const projectId = newProject()
    const all = await emitTicks(projectId, 0, 5)
    const seqs = all.map(({ seq }) => BigInt(seq))
    await world.app.sql.query('delete from events.log where "projectId" = $1 and seq <= $2', [
      projectId,
      String(seqs[2]),
    ])
    const tails = await openTails()
    await assert.rejects(tails.listen(projectId, seqs[1] ?? 0n), ResyncRequired)
    const events = await tails.listen(projectId, seqs[2] ?? 0n)
    assert.deepEqual(numbersOf(await take(events, 2)), [3, 4])
    await world.app.sql.query('delete from events.log where "projectId" = $1', [projectId])
    const again = await openTails()
    await assert.rejects(again.listen(projectId, seqs[3] ?? 0n), ResyncRequired)
    await (await again.listen(projectId, seqs[4] ?? 0n)).return?.()
    await again.close()
    await tails.close()
  })

  test('a cursor ahead of the log is not waited for', async () => {
    await assert.rejects(world.app.tails.listen(newProject(), 9_999_999n), ResyncRequired)
  })

  test('the head is the place where a stream that begins now begins', async () => {
    const projectId = newProject()
    assert.equal(await world.app.tails.head(projectId), 0n)
    const all = await emitTicks(projectId, 0, 2)
    assert.equal(String(await world.app.tails.head(projectId)), all.at(-1)?.seq)
  })
})

describe('slow listeners', () => {
  const cut = { items: 16, bytes: 1_000_000, catchUpMs: 0 }

  test('one that does not take is cut, told where it was, and resumes; the others go on', async () => {
    const projectId = newProject()
    const tails = await openTails({ limits: cut })
    const [slow, quick] = [await tails.listen(projectId, null), await tails.listen(projectId, null)]
    const taking = take(quick, 100)
    for (let n = 0; n < 100; n += 10) {
      await relay.publish(await emitTicks(projectId, n, 10))
      await sleep(5)
    }
    const all = numbersOf(await taking)
    assert.deepEqual(all, upTo(100))
    const taken = await slow.next().then(
      () => assert.fail('It should be cut.'),
      (error) => error,
    )
    assert.ok(taken instanceof TooSlow)
    assert.equal(taken.code, 'LIMIT_EXCEEDED')
    const resumed = await tails.listen(projectId, taken.seq)
    assert.deepEqual(numbersOf(await take(resumed, 100)), upTo(100))
    await tails.close()
  })

  test('bytes count as well', async () => {
    const projectId = newProject()
    const tails = await openTails({ limits: { ...cut, bytes: 20_000 } })
    const slow = await tails.listen(projectId, null)
    await relay.publish(await emitTicks(projectId, 0, 5, 'x'.repeat(8_000)))
    await sleep(100)
    await assert.rejects(slow.next(), TooSlow)
    await tails.close()
  })

  test('a burst larger than the queue cuts nobody who takes', async () => {
    const projectId = newProject()
    const tails = await openTails({ limits: { ...cut, catchUpMs: 2_000 } })
    const events = await tails.listen(projectId, null)
    await relay.publish(await emitTicks(projectId, 0, 400))
    assert.deepEqual(numbersOf(await take(events, 400)), upTo(400))
    await tails.close()
  })
})

describe('leaving', () => {
  test('does not wait for the next event', async () => {
    const events = await world.app.tails.listen(newProject(), null)
    const waiting = events.next()
    await within(Promise.resolve(events.return?.()), 500, 'it did not leave')
    assert.equal((await waiting).done, true)
    assert.equal((await events.next()).done, true)
  })

  test('the last one frees the channel, some time later', async () => {
    const projectId = newProject()
    const redis = new Redis(world.env.REDIS_URL)
    const tails = await openTails({ lingerMs: 100 })
    const channel = channelsOf(`tendril:${tails.epoch}:`).project(projectId)
    const count = async () => Number((await redis.pubsub('NUMSUB', channel))[1])
    const [one, two] = [await tails.listen(projectId, null), await tails.listen(projectId, null)]
    assert.equal(await count(), 1)
    await one.return?.()
    await sleep(200)
    assert.equal(await count(), 1)
    await two.return?.()
    await sleep(200)
    assert.equal(await count(), 0)
    redis.disconnect()
    await tails.close()
  })

  test('when the tails are closed the listeners are told to come again', async () => {
    const tails = await openTails()
    const waiting = (await tails.listen(newProject(), null)).next()
    waiting.catch(() => {})
    await tails.close()
    await assert.rejects(waiting, Unavailable)
  })
})

describe('Redis', () => {
  let tails: Tails

  test('killed and back empty, or never there: nothing is lost, listening works all the time', async () => {
    const projectId = newProject()
    const redis = await startKillableRedis()
    const byHand = await relayByHand(world, redis.url)
    tails = await openTails({ redisUrl: redis.url })
    const events = await tails.listen(projectId, null)
    await byHand.publish(await emitTicks(projectId, 0, 2))
    assert.deepEqual(numbersOf(await take(events, 2)), [0, 1])
    await redis.kill()
    await emitTicks(projectId, 2, 2)
    assert.deepEqual(numbersOf(await take(events, 2, 1_500)), [2, 3])
    const another = await within(tails.listen(newProject(), null), 1_000, 'could not listen')
    await redis.start()
    await sleep(700)
    // Published alone, it shows that the subscription stands again: without it the poll would need longer.
    await byHand.heartbeat({})
    const published = await emitTicks(projectId, 4, 1)
    await byHand.publish(published)
    assert.deepEqual(numbersOf(await take(events, 1, 300)), [4])
    await another.return?.()
    await tails.close()
    await byHand.close()
    await redis.stop()
  })
})
