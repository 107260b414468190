import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { follow } from '../../examples/client/live.ts'
import { type Endpoint, request } from '../../examples/client/request.ts'
import { startRelay } from '../../workers/relay.ts'
import { startApi } from '../api.ts'
import { createApp } from '../app.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createDatabase } from '../modules/databases/databases.ts'
import { eventually } from '../testing/receiver.ts'
import {
  type RedisServer,
  type RedisServers,
  startRedisCluster,
  startRedisSentinels,
} from '../testing/redis-servers.ts'
import { createWorld, type World } from '../testing/world.ts'
import { createStore } from './cache/store.ts'
import { channelsOf } from './pubsub.ts'

/** Two API nodes and a relay on several Redis servers. */
type Stage = {
  redis: RedisServers
  world: World
  projectId: string
  collectionId: string
  /** The same project, through each of the nodes. */
  to: readonly [Endpoint, Endpoint]
  close: () => Promise<void>
}

async function setStage(start: () => Promise<RedisServers>): Promise<Stage> {
  const redis = await start()
  const world = await createWorld({ REDIS_URL: redis.url, PORT: '0' })
  const second = await createApp(world.env, 'second')
  const relay = startRelay(world.app)
  const nodes = [await startApi(world.app), await startApi(second)] as const
  const { projectId, owner } = await world.createProject()
  const secret = newSecret('key')
  const scopes = ['databases.read', 'databases.write']
  await world.app.db.key.create({ data: { id: 'key_test', projectId, name: 'test', hash: hashSecret(secret), scopes } })
  const url = `/projects/${projectId}/graphql`
  const to = [
    { url: nodes[0].url + url, authorization: `Bearer ${secret}` },
    { url: nodes[1].url + url, authorization: `Bearer ${secret}` },
  ] as const
  const { id: databaseId } = await createDatabase(owner, { key: 'main' })
  const create = 'mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { id } }'
  const input = { databaseId, key: 'posts', permissions: [] }
  const { createCollection } = await request<{ createCollection: { id: string } }>(to[0], create, { input })
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()))
    await relay.stop()
    await second.close()
    await world.close()
    await redis.stop()
  }
  return { redis, world, projectId, collectionId: createCollection.id, to, close }
}

const update = 'mutation ($input: UpdateCollectionInput!) { updateCollection(input: $input) { id } }'
const subscription = 'subscription ($after: String) { collectionChanged(after: $after) { cursor kind } }'

/** Writes through one node, hears through both, and tells how late each change was. */
async function createLoad({ to, collectionId }: Stage) {
  const heard: number[][] = [[], []]
  const cursors = [new Set<string>(), new Set<string>()]
  const streams = to.map((endpoint, n) =>
    follow(endpoint, subscription, 'collectionChanged', ({ cursor }) => {
      cursors[n]?.add(cursor)
      heard[n]?.push(performance.now())
    }),
  )
  const written: number[] = []
  const write = async () => {
    await request(to[0], update, { input: { id: collectionId, name: `at ${written.length}` } })
    written.push(performance.now())
  }
  // Until it is known that both listen, what is written may be missed.
  for (let tries = 0; heard.some(({ length }) => length === 0); tries++) {
    assert.ok(tries < 100, 'nothing is heard')
    await write()
    await sleep(50)
  }
  await sleep(300)
  for (const list of [...heard, written]) list.length = 0
  for (const seen of cursors) seen.clear()
  const writeFor = async (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end; await sleep(10)) await write()
  }
  const allHeard = () =>
    eventually(() => {
      assert.deepEqual(
        heard.map(({ length }) => length),
        [written.length, written.length],
      )
      assert.deepEqual(
        cursors.map(({ size }) => size),
        [written.length, written.length],
      )
    })
  /** The latest of what was written behind the first so many. */
  const lateness = (from: number) =>
    Math.max(...heard.flatMap((times) => times.slice(from).map((at, n) => at - (written[from + n] ?? 0))))
  const stop = () => {
    for (const stream of streams) stream.stop()
  }
  return { written, writeFor, allHeard, lateness, stop }
}

/** How many connections of ours hear of a project at each of these servers. */
async function listenersAt({ world, projectId }: Stage, servers: RedisServer[], id = projectId): Promise<number[]> {
  const channel = channelsOf(`tendril:${world.app.tails.epoch}:`).project(id)
  const counts = await Promise.all(servers.map(({ ask }) => ask('pubsub', 'numsub', channel)))
  return counts.map((count) => Number((count as unknown[])[1]))
}

const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0)

// Most of it is waiting for servers that find each other, so they do it side by side.
describe('several Redis servers', { concurrency: true }, () => {
  describe('a Redis cluster', { concurrency: false }, () => {
    let stage: Stage
    before(async () => {
      stage = await setStage(startRedisCluster)
    })
    after(() => stage.close())

    test('keeps answers on all of its nodes', async () => {
      const store = createStore(stage.redis.url)
      const keys = Array.from({ length: 30 }, (_, n) => `key ${n}`)
      await eventually(async () => {
        for (const key of keys) store.set(key, `of ${key}`, 60)
        assert.deepEqual(
          await Promise.all(keys.map(store.get)),
          keys.map((key) => `of ${key}`),
        )
      })
      const sizes = await Promise.all(stage.redis.servers.map(({ ask }) => ask('dbsize')))
      assert.equal(sum(sizes.map(Number)), 30)
      assert.ok(sizes.every((size) => Number(size) > 0))
      store.close()
    })

    test("a project's events go only to the nodes that listen to it", async () => {
      const { servers } = stage.redis
      const other = (await stage.world.createProject()).projectId
      assert.equal(sum(await listenersAt(stage, servers)), 0)
      const streams = []
      for (const [n, endpoint] of stage.to.entries()) {
        streams.push(follow(endpoint, subscription, 'collectionChanged', () => {}))
        await eventually(async () => assert.equal(sum(await listenersAt(stage, servers)), n + 1))
      }
      assert.equal(sum(await listenersAt(stage, servers, other)), 0)
      for (const stream of streams) stream.stop()
    })

    test('loses one of its nodes under load: nothing is lost, and what follows is in time', async (t) => {
      const { servers } = stage.redis
      const load = await createLoad(stage)
      t.after(load.stop)
      await load.writeFor(700)
      const counts = await listenersAt(stage, servers)
      const [lost] = servers.splice(counts.indexOf(Math.max(...counts)), 1)
      lost?.kill()
      await load.writeFor(1_000)
      const later = load.written.length
      await load.writeFor(1_000)
      await load.allHeard()
      assert.equal(sum(await listenersAt(stage, servers)), 2, 'both nodes listen to another one')
      assert.ok(load.lateness(later) < 1_000, `${load.lateness(later)} ms late a second after it`)
    })
  })

  describe('Redis behind sentinels', { concurrency: false }, () => {
    let stage: Stage
    before(async () => {
      stage = await setStage(startRedisSentinels)
    })
    after(() => stage.close())

    test('loses its master under load: nothing is lost, and behind the new one what follows is in time', async (t) => {
      const [master, ...replicas] = stage.redis.servers
      const store = createStore(stage.redis.url)
      t.after(store.close)
      const load = await createLoad(stage)
      t.after(load.stop)
      await load.writeFor(500)
      master?.kill()
      const found = eventually(async () => {
        assert.deepEqual(await listenersAt(stage, replicas), [2])
        store.set('key', 'text', 60)
        assert.equal(await store.get('key'), 'text')
      })
      await Promise.all([found, load.writeFor(1_000)])
      const later = load.written.length
      await load.writeFor(1_000)
      await load.allHeard()
      assert.ok(load.lateness(later) < 1_000, `${load.lateness(later)} ms late behind the new master`)
    })
  })
})
