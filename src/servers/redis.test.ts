import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { machineRedis, startRedis } from './redis.ts'

function connect(url: string): Redis {
  const redis = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0, lazyConnect: true })
  redis.on('error', () => {})
  return redis
}

async function reachable(url: string): Promise<boolean> {
  const redis = connect(url)
  return redis
    .connect()
    .then(
      () => true,
      () => false,
    )
    .finally(() => redis.disconnect())
}

for (const from of ['machine', 'npm'] as const) {
  const skip = from === 'machine' && !machineRedis() ? 'no redis-server on the PATH' : false

  describe(`startRedis, the ${from}'s`, { skip }, () => {
    let dir = ''
    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'tendril-redis-'))
    })
    after(() => rm(dir, { recursive: true, force: true }))

    it('publishes, matches patterns, streams and runs Lua', async () => {
      const { url, stop } = await startRedis({ dir, from })
      const [redis, subscriber] = [connect(url), connect(url)]
      await subscriber.psubscribe('a.*')
      const heard = once(subscriber, 'pmessage')
      await redis.publish('a.b', 'hello')
      assert.deepEqual(await heard, ['a.*', 'a.b', 'hello'])
      assert.equal(await redis.eval('return redis.call("INCRBY", KEYS[1], ARGV[1])', 1, 'n', '5'), 5)
      await redis.xadd('s', '*', 'k', 'v')
      assert.equal(await redis.xlen('s'), 1)
      redis.disconnect()
      subscriber.disconnect()
      await stop()
      assert.equal(await reachable(url), false)
    })

    it('wants its password, and listens on the loopback only', async () => {
      const { url, stop } = await startRedis({ dir, from })
      const { port } = new URL(url)
      const stranger = connect(`redis://127.0.0.1:${port}`)
      await assert.rejects(stranger.connect().then(() => stranger.set('a', '1')))
      stranger.disconnect()
      const outside = Object.values(networkInterfaces())
        .flat()
        .find((one) => one && !one.internal && one.family === 'IPv4')
      if (outside) assert.equal(await reachable(url.replace('127.0.0.1', outside.address)), false)
      assert.equal(await reachable(url.replace('127.0.0.1', '[::1]')), false)
      await stop()
    })

    it('says when its port is taken', async () => {
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      const address = other.address()
      const port = typeof address === 'object' && address ? address.port : 0
      await assert.rejects(startRedis({ dir, from, port }), /^Error: Port \d+ on 127.0.0.1 is taken/)
      other.close()
    })

    it('ends with its process when that is killed', async () => {
      const program = `
        const { startRedis } = await import(${JSON.stringify(new URL('./redis.ts', import.meta.url).href)})
        console.log((await startRedis({ dir: ${JSON.stringify(dir)}, from: '${from}' })).url)
        setInterval(() => {}, 1_000)`
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [text] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
      const url = String(text).trim()
      assert.equal(await reachable(url), true)
      child.kill('SIGKILL')
      await once(child, 'exit')
      for (let n = 0; n < 100 && (await reachable(url)); n++) await sleep(50)
      assert.equal(await reachable(url), false)
    })
  })
}
