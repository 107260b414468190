import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { tie } from '../servers/lifeline.ts'
import { freePort } from '../servers/ports.ts'

/** One of several Redis servers that a test may kill. */
export type RedisServer = {
  port: number
  /** Sends it one command, and answers what it says. */
  ask: (command: string, ...args: (string | number)[]) => Promise<unknown>
  kill: () => void
}

export type RedisServers = { url: string; servers: RedisServer[]; stop: () => Promise<void> }

/** Masters of a cluster, a third of the slots each, and no replicas: what one has is gone with it. */
export async function startRedisCluster(): Promise<RedisServers> {
  const room = await openRoom()
  const servers: RedisServer[] = []
  const buses: number[] = []
  for (let n = 0; n < 3; n++) {
    const bus = await freePort()
    buses.push(bus)
    servers.push(
      await room.start(['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '1000']),
    )
  }
  const bounds = [0, 5461, 10_923, 16_384]
  for (const [n, server] of servers.entries()) {
    await server.ask('cluster', 'addslotsrange', bounds[n] ?? 0, (bounds[n + 1] ?? 0) - 1)
    await server.ask('cluster', 'set-config-epoch', n + 1)
    for (const [m, other] of servers.entries()) {
      if (m < n) await server.ask('cluster', 'meet', '127.0.0.1', other.port, buses[m] ?? 0)
    }
  }
  await Promise.all(
    servers.map((server) =>
      until(async () => {
        const text = String(await server.ask('cluster', 'info'))
        return text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:3')
      }),
    ),
  )
  const url = `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  return { url, servers, stop: room.close }
}

/** A master, its replica, and three sentinels that watch them. The master is the first of the servers. */
export async function startRedisSentinels(): Promise<RedisServers> {
  const room = await openRoom()
  const master = await room.start([])
  const replica = await room.start(['--replicaof', '127.0.0.1', String(master.port)])
  await until(async () => String(await replica.ask('info', 'replication')).includes('master_link_status:up'))
  const sentinels: RedisServer[] = []
  for (let n = 0; n < 3; n++) sentinels.push(await room.start([], sentinelFile(master.port)))
  await until(async () => {
    const seen = await Promise.all(sentinels.map((sentinel) => sentinel.ask('info', 'sentinel')))
    return seen.every((text) => String(text).includes('slaves=1,sentinels=3'))
  })
  const url = `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/main`
  return { url, servers: [master, replica], stop: room.close }
}

const sentinelFile = (port: number) => `sentinel monitor main 127.0.0.1 ${port} 2
sentinel down-after-milliseconds main 500
sentinel failover-timeout main 3000
`

async function openRoom() {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-redis-'))
  const stops: (() => Promise<void>)[] = []
  const start = async (args: string[], sentinel?: string): Promise<RedisServer> => {
    const port = await freePort()
    const file = join(dir, `${port}.conf`)
    await writeFile(file, sentinel ?? '')
    const names = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--cluster-config-file',
      `${port}.nodes`,
    ]
    const tail = sentinel ? ['--sentinel'] : ['--save', '', '--repl-diskless-sync-delay', '0', ...args]
    const program = await tie('redis-server', [file, ...names, ...tail], {
      logFile: join(dir, `${port}.log`),
      stopSignal: 'TERM',
    })
    const redis = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: 100 })
    redis.on('error', () => {})
    stops.push(async () => {
      redis.disconnect()
      await program.stop()
    })
    await redis.ping()
    return {
      port,
      ask: (command, ...given) => redis.call(command, ...given),
      kill: () => process.kill(program.pid, 'SIGKILL'),
    }
  }
  const close = async () => {
    await Promise.all(stops.map((stop) => stop()))
    await rm(dir, { recursive: true, force: true })
  }
  return { start, close }
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await check()); await sleep(30)) {
    if (Date.now() > end) throw new Error('The Redis servers did not find each other.')
  }
}
