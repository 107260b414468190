import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { Unavailable } from '../errors.ts'
import { createPeers, type Peers } from './peers.ts'

const redisUrl = process.env.REDIS_URL ?? ''
const log = pino({ level: 'silent' })
const prefix = `${randomUUID()}:`
const open = () => createPeers({ redisUrl, prefix, log, ttlMs: 600 })

async function until(peers: Peers, group: string, ids: string[]) {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = await peers.list(group).catch(() => new Map())
    if ([...found.keys()].sort().join() === ids.join()) return found
    await sleep(25)
  }
  return assert.fail(`${group} never was ${ids}`)
}

test('what one node puts all see, until it is removed or the node leaves', async () => {
  const [a, b] = [open(), open()]
  await until(a, 'things', [])
  a.put('things', '1', { of: 'a' })
  b.put('things', '2', { of: 'b' })
  assert.deepEqual((await until(a, 'things', ['1', '2'])).get('2'), { of: 'b' })
  // Longer than an entry lives by itself.
  await sleep(800)
  await until(b, 'things', ['1', '2'])
  a.remove('things', '1')
  await until(b, 'things', ['2'])
  await b.close()
  await until(a, 'things', [])
  await a.close()
})

test('what a node put is gone soon after it was killed', async () => {
  const peers = open()
  const source = `import { createPeers } from ${JSON.stringify(new URL('./peers.ts', import.meta.url).href)}
    createPeers({ redisUrl: ${JSON.stringify(redisUrl)}, prefix: ${JSON.stringify(prefix)}, log: { debug() {}, warn() {}, error() {} }, ttlMs: 600 })
      .put('others', '1', {})
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' })
  await until(peers, 'others', ['1'])
  child.kill('SIGKILL')
  await once(child, 'exit')
  await until(peers, 'others', [])
  await peers.close()
})

test('every node is told what one tells; nobody is while Redis is away', async () => {
  const [a, b] = [open(), open()]
  const heard: unknown[] = []
  const listening = [a, b].map((peers) => peers.listen('news', (message) => heard.push(message)))
  await Promise.all(listening.map(({ ready }) => ready))
  await until(a, 'none', [])
  for (let tries = 0; heard.length < 2 && tries < 100; tries += 1) {
    if (tries === 0) await a.tell('news', { n: 1 })
    await sleep(20)
  }
  assert.deepEqual(heard, [{ n: 1 }, { n: 1 }])
  await Promise.all([a.close(), b.close()])
  const away = createPeers({ redisUrl: 'redis://127.0.0.1:1', prefix, log })
  await assert.rejects(away.list('things'), Unavailable)
  await assert.rejects(away.tell('news', {}), Unavailable)
  await away.close()
})
