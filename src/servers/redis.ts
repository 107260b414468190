import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Redis } from 'ioredis'
import { unprivilegedAccount } from './accounts.ts'
import { findExecutable, versionOf } from './executables.ts'
import { type Server, tie } from './lifeline.ts'
import { freePort, portTaken, requireFreePort } from './ports.ts'

export type RedisOptions = {
  /** Where the log is written; Redis itself keeps nothing here. */
  dir: string
  port?: number
  /** The machine's `redis-server`, or the one of npm. The default is the first when it is there. */
  from?: 'machine' | 'npm'
}

/** The `redis-server` on the PATH, when it is new enough. */
export function machineRedis(): string | undefined {
  const path = findExecutable('redis-server')
  return path && versionOf(path, '--version')[0] >= 7 ? path : undefined
}

const address = (port: number, password: string) => `redis://:${password}@127.0.0.1:${port}`

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

async function startMachineRedis(program: string, dir: string, port: number): Promise<Server> {
  const password = randomBytes(24).toString('base64url')
  // Read from standard input, so that the password stands in no list of processes.
  const input = `bind 127.0.0.1\nport ${port}\nrequirepass ${password}\nsave ""\nappendonly no\ndaemonize no\nmaxmemory-policy noeviction\nalways-show-logo no\n`
  const server = await tie(program, ['-'], {
    input,
    logFile: join(dir, 'redis.log'),
    stopSignal: 'TERM',
    account: unprivilegedAccount(),
  })
  const url = address(port, password)
  while (!(await answers(url))) {
    if (server.hasEnded()) {
      const log = server.log()
      if (/Address already in use/.test(log)) throw portTaken(port)
      throw new Error(`Redis did not start. Its log says:\n${log.trim().split('\n').slice(-5).join('\n')}`)
    }
    await sleep(20)
  }
  server.unref()
  return { url, pid: server.pid, stop: server.stop, ended: server.ended.then(() => {}) }
}

async function startNpmRedis(port: number): Promise<Server> {
  const password = randomBytes(24).toString('base64url')
  const thread = new Worker(new URL('./redis-thread.ts', import.meta.url), {
    workerData: { port, password },
    // What this process was started with is not meant for it.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 },
  })
  const ended = new Promise<void>((done) => thread.once('exit', () => done()))
  await once(thread, 'message')
  // A fault in it ends the thread, not this process.
  thread.on('error', () => {})
  thread.unref()
  const stop = async () => {
    await thread.terminate()
  }
  return { url: address(port, password), pid: null, stop, ended }
}

/** A Redis on the loopback that keeps nothing, behind a password of its own, and that ends with this process. */
export async function startRedis(options: RedisOptions): Promise<Server> {
  const dir = resolve(options.dir)
  await mkdir(dir, { recursive: true })
  if (options.port) await requireFreePort(options.port)
  const port = options.port || (await freePort())
  const program = options.from === 'npm' ? undefined : machineRedis()
  if (!program && options.from === 'machine')
    throw new Error('There is no redis-server, version 7 or newer, on the PATH.')
  return program ? startMachineRedis(program, dir, port) : startNpmRedis(port)
}
