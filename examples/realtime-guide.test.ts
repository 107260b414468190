import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createSchemas, type Schemas } from '../schema/schemas.ts'
import type { Actor } from '../src/context.ts'
import { type Blog, createBlog } from '../src/testing/blog.ts'
import { listen, type Outcome, operate, type Payloads } from '../src/testing/operation.ts'
import { within } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Relay, startRelay } from '../workers/relay.ts'

type Account = Extract<Actor, { kind: 'account' }>

const guide = readFileSync(new URL('../docs/guides/realtime.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/```(graphql|graphql console|json)\n([\s\S]*?)```/g)].map(([, kind, text = '']) => ({
  kind,
  text,
}))

let world: World
let relay: Relay
let schemas: Schemas
let blog: Blog
before(async () => {
  world = await createWorld()
  relay = startRelay(world.app)
  schemas = createSchemas(world.app)
  blog = await createBlog(world)
})
after(async () => {
  await relay.stop()
  await schemas.close()
  await world.close()
})

/** What the guide leaves open is not compared. */
function fill(promised: unknown, told: unknown): unknown {
  if (promised === '…') return told
  if (Array.isArray(promised) && Array.isArray(told)) return promised.map((item, i) => fill(item, told[i]))
  if (typeof promised !== 'object' || promised === null || typeof told !== 'object' || told === null) return promised
  const by = told as Record<string, unknown>
  return Object.fromEntries(Object.entries(promised).map(([key, value]) => [key, fill(value, by[key])]))
}

test('every block of the guide does what it says', async () => {
  let stream: Payloads | null = null
  let compared = 0
  for (const { kind, text } of blocks) {
    if (kind === 'graphql' && text.startsWith('subscription')) {
      await stream?.return()
      stream = await listen(schemas, blog.owner, text)
    } else if (kind === 'graphql console') {
      const atConsole = world.context('console', { ...(blog.owner.actor as Account), role: null })
      assert.deepEqual((await operate(schemas, atConsole, text, { id: blog.projectId })).errors, [], text)
    } else if (kind === 'graphql') {
      assert.deepEqual((await operate(schemas, blog.owner, text)).errors, [], text)
    } else {
      const promised = JSON.parse(text)
      // Messages of the protocol have a test beside it.
      if ('type' in promised) continue
      if (!stream) throw new Error('Nobody listens.')
      const step: IteratorResult<Outcome, undefined> = await within(stream.next(), 5_000, `nothing was told: ${text}`)
      const value: Outcome | undefined = step.value
      assert.deepEqual(value?.errors, [])
      assert.deepEqual(value?.data, fill(promised, value?.data))
      compared += 1
    }
  }
  await stream?.return()
  assert.ok(compared >= 5)
})
