import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createPool } from '../platform/db.ts'
import { channelsOf, createPubsub } from '../platform/pubsub.ts'
import { createLink } from '../testing/faults/link.ts'
import { startKillableRedis } from '../testing/faults/redis.ts'
import { eventually } from '../testing/receiver.ts'
import { relayByHand, tickTimes } from '../testing/stream.ts'
import { createWorld, type World } from '../testing/world.ts'
import { watchHeads } from './heads.ts'
import { createLogReader } from './log.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('the log is asked again where it could not be when Redis came back, though the relay is heard and names nothing', async (t) => {
  const redis = await startKillableRedis()
  const url = new URL(world.env.DATABASE_URL)
  const link = await createLink(Number(url.port))
  const sql = createPool(Object.assign(new URL(url), { port: String(link.port) }).href, 2)
  const relay = await relayByHand(world, redis.url)
  const pubsub = createPubsub(redis.url, world.app.log)
  const { heads: channel } = channelsOf(`tendril:${world.app.tails.epoch}:`)
  const heard: [string, bigint][] = []
  let failures = 0
  const log = Object.assign(world.app.log.child({}), {
    warn: () => {
      failures += 1
    },
  })
  const heads = watchHeads({
    ...{ source: createLogReader(sql), pubsub, log, channel },
    projectIds: () => ['prj_1'],
    onHead: (projectId, seq) => heard.push([projectId, seq]),
  })
  const beats = setInterval(() => void relay.heartbeat({}), 100)
  t.after(async () => {
    clearInterval(beats)
    heads.close()
    pubsub.close()
    await relay.close()
    link.close()
    await sql.end()
    await redis.stop()
  })
  await heads.ready
  await redis.kill()
  link.leadTo(1)
  link.reset()
  await tickTimes(world.context('prj_1'), 'thing', 0, 3)
  const seq = BigInt((await relay.number()).at(-1)?.seq ?? 0)
  await redis.start()
  await eventually(() => assert.ok(pubsub.isConnected() && failures > 0))
  const before = failures
  await eventually(() => assert.ok(failures > before))
  link.leadTo(Number(url.port))
  await eventually(() => assert.deepEqual(heard.at(-1), ['prj_1', seq]))
})
