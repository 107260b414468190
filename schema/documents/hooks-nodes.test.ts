import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { updateFunction } from '../../src/modules/functions/functions.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { createPeer } from '../../src/testing/executor.ts'
import { makeFunction } from '../../src/testing/functions.ts'
import { operate } from '../../src/testing/operation.ts'
import { oldUntil } from '../../src/testing/outdated.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let relay: Relay
let peer: Awaited<ReturnType<typeof createPeer>>
let nodes: Schemas[]
let blog: Blog
before(async () => {
  peer = await createPeer(() => ({ response: { status: 422, headers: {} }, body: '{ "message": "No." }' }))
  world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  relay = startRelay(world.app)
  blog = await createBlog(world)
  nodes = [createSchemas(world.app), createSchemas(world.app)]
})
after(async () => {
  for (const node of nodes) await node.close()
  await relay.stop()
  await world.close()
  peer.close()
})

test('every node asks a new hook within a second, and no more once it is gone', async (t) => {
  const create = async (node: Schemas) => {
    const { errors } = await operate(node, blog.owner, 'mutation { createNote(input: { text: "n" }) { id } }')
    return errors[0] ?? 'done'
  }
  const until = async (answer: string) => {
    const lasts = nodes.map((node) =>
      oldUntil(
        () => create(node),
        (answered) => answered !== answer,
      ),
    )
    const ms = Math.max(...(await Promise.all(lasts)))
    t.diagnostic(`${answer} after ${ms.toFixed(0)} ms`)
    assert.ok(ms < 1_000, `${ms} ms`)
  }
  for (const node of nodes) assert.equal(await create(node), 'done')
  const { id } = await makeFunction(blog.owner, '', { hooks: [{ on: 'documents.before-create' }] })
  await until('INVALID No.')
  await updateFunction(blog.owner, id, { enabled: false })
  await until('done')
})
