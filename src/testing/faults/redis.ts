import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { spawnTied } from '../../servers/lifeline.ts'
import { freePort } from '../../servers/ports.ts'

/** A Redis that a test may kill. It keeps nothing, so it comes back empty. */
export type KillableRedis = {
  url: string
  kill: () => Promise<void>
  start: () => Promise<void>
  stop: () => Promise<void>
  /** Connected, and silent until `resume`. */
  pause: () => void
  resume: () => void
}

export async function startKillableRedis(): Promise<KillableRedis> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | null = null
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    server = spawnTied('KILL', 'redis-server', args, { stdio: ['ignore', 'ignore', 'ignore'], cwd: '/tmp' }).child
    server.on('error', () => {})
    for (let tries = 0; !(await answers(url)); tries++) {
      if (tries > 100) throw new Error('redis-server did not start. Is it installed?')
      await sleep(30)
    }
  }
  const kill = async () => {
    const dying = server
    server = null
    if (!dying?.kill('SIGKILL')) return
    await once(dying, 'exit')
  }
  await start()
  const [pause, resume] = [() => void server?.kill('SIGSTOP'), () => void server?.kill('SIGCONT')]
  return { url, kill, start, stop: kill, pause, resume }
}

async function answers(url: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return (await redis.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    redis.disconnect()
  }
}
