import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { createWorld } from '../src/testing/world.ts'

const file = join(import.meta.dirname, 'main.ts')

test('SIGTERM ends the process cleanly', async () => {
  const world = await createWorld()
  const { DATABASE_URL, REDIS_URL } = world.env
  const env = {
    ...process.env,
    DATABASE_URL,
    REDIS_URL,
    MONGODB_URL: '',
    LOG_LEVEL: 'info',
    SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
  }
  const child = spawn(process.execPath, [file, '--only', 'audits,webhooks'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  let output = ''
  for await (const chunk of child.stdout) {
    output += chunk
    if (output.includes('workers run')) break
  }
  child.kill('SIGTERM')
  const [code] = await ended
  await world.close()
  assert.equal(code, 0, output)
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
