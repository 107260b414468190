import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { transaction } from '../src/context.ts'
import { emit } from '../src/event.ts'
import { userUpdated } from '../src/modules/users/events.ts'
import { createWebhook } from '../src/modules/webhooks/webhooks.ts'
import { createLink } from '../src/testing/faults/link.ts'
import { createReceiver, eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'

const file = join(import.meta.dirname, 'main.ts')

/** Starts the process, and answers once it works. */
async function start({ env: { DATABASE_URL, REDIS_URL } }: World, only: string, more: Record<string, string>) {
  const env = {
    ...process.env,
    DATABASE_URL,
    REDIS_URL,
    MONGODB_URL: '',
    LOG_LEVEL: 'info',
    SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
    ...more,
  }
  const child = spawn(process.execPath, [file, '--only', only], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk
    if (output.includes('workers run')) break
  }
  child.stdout.resume()
  return {
    child,
    /** Answers with which code it ended. */
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = await ended
      return code
    },
  }
}

test('SIGTERM ends the process cleanly', async () => {
  const world = await createWorld()
  const { stop } = await start(world, 'audits,webhooks', {})
  assert.equal(await stop(), 0)
  await world.close()
})

const { MONGODB_URL = '' } = process.env

test('SIGTERM waits for no MongoDB that does not answer, and what was owed is done by the next process', {
  skip: !MONGODB_URL && 'MONGODB_URL is not set',
}, async () => {
  const world = await createWorld()
  const receiver = await createReceiver()
  const link = await createLink(Number(new URL(MONGODB_URL).port))
  const { owner } = await world.createProject()
  await createWebhook(owner, { name: 'w', url: receiver.url, events: ['users.updated'] })
  const update = (userId: string) => transaction(owner, (tx) => emit(tx, userUpdated, { userId }))
  const first = await start(world, 'webhooks', {
    MONGODB_URL: `mongodb://127.0.0.1:${link.port}`,
    EGRESS_ALLOW: '127.0.0.0/8',
  })
  await update('a')
  await eventually(() => assert.equal(receiver.received.length, 1))
  link.hold()
  await update('b')
  await sleep(1_000)
  const begun = performance.now()
  assert.equal(await first.stop(), 0)
  const tookMs = performance.now() - begun
  process.stdout.write(`# SIGTERM: ${tookMs.toFixed()} ms\n`)
  assert.ok(tookMs < 10_000, `${tookMs} ms`)
  link.close()
  const second = await start(world, 'webhooks', { MONGODB_URL, EGRESS_ALLOW: '127.0.0.0/8' })
  await eventually(() => assert.equal(receiver.received.length, 2), 60_000)
  assert.equal(await second.stop(), 0)
  receiver.close()
  await world.close()
})

test('what is wrong with the environment is said in words, and the process ends with 1', async () => {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code] = await once(child, 'exit')
  assert.equal(code, 1)
  assert.match(errors, /DATABASE_URL is not set/)
  assert.ok(!errors.includes('    at '))
})
