import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createQueue, type Queue, type QueueOptions } from '../platform/queue/queue.ts'
import type { QueueProcess } from './queue-process.ts'
import { createWorld, type World } from './world.ts'
import './agenda.ts'

const stores = { postgres: undefined, mongo: process.env.MONGODB_URL }
const quick = { lockMs: 2_000, touchEveryMs: 300, pollEveryMs: 300 }

/** The kind of job that is tried: its effect is a row. */
export const kind = { name: 'effects.insert', concurrency: 5, retryAfterMs: [50, 50] }

export type QueueStage = {
  name: string
  mongoUrl: string | undefined
  world: () => World
  /** Names the queue of the test that runs: its own on MongoDB; on PostgreSQL they share the table, and it is emptied. */
  epoch: () => string
  create: (options?: Partial<QueueOptions>) => Queue
  /** How often a job has had its effect. */
  count: (key: string) => Promise<number>
  insert: (job: { key: string }) => Promise<undefined>
  spawnWorker: (what: QueueProcess['what'], env?: object, times?: Partial<QueueProcess>) => ChildProcess
  /** A test, after which nothing is left of its queues. */
  each: (title: string, body: () => Promise<void>, skip?: string | false) => void
}

/** Describes queues with jobs in PostgreSQL, and in MongoDB where there is one. */
export function onBothStores(title: string, body: (stage: QueueStage) => void): void {
  for (const [name, mongoUrl] of Object.entries(stores)) {
    describe(`${title} on ${name}`, { skip: name === 'mongo' && !mongoUrl && 'MONGODB_URL is not set' }, () =>
      body(createStage(name, mongoUrl)),
    )
  }
}

function createStage(name: string, mongoUrl: string | undefined): QueueStage {
  let world: World
  let epoch = ''
  const queues: Queue[] = []
  const children: ChildProcess[] = []

  before(async () => {
    world = await createWorld()
    await world.app.sql.query('create table effects (key text, pid int)')
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await world.close()
  })

  const create: QueueStage['create'] = (options) => {
    const { sql, env, log } = world.app
    const queue = createQueue({ sql, log, redisUrl: env.REDIS_URL, mongoUrl, epoch, ...quick, ...options })
    queues.push(queue)
    return queue
  }
  const count = async (key: string) =>
    (await world.app.sql.query('select 1 from effects where key = $1', [key])).rows.length
  const insert: QueueStage['insert'] = async ({ key }) => {
    await world.app.sql.query('insert into effects (key, pid) values ($1, 0)', [key])
    return undefined
  }
  const spawnWorker: QueueStage['spawnWorker'] = (what, env = {}, times = {}) => {
    const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = world.env
    const options: QueueProcess = { databaseUrl, redisUrl, mongoUrl, epoch, ...quick, ...times, what }
    const file = join(import.meta.dirname, 'queue-process.ts')
    const child = spawn(process.execPath, [file, JSON.stringify(options)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }
  const closeAll = async () => {
    await Promise.all(queues.splice(0).map((queue) => queue.close(1_000)))
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await world.app.sql.query('drop table if exists agenda_jobs; truncate job_attempts; truncate effects')
  }
  const each: QueueStage['each'] = (title, body, skip = false) =>
    test(title, { skip }, async () => {
      epoch = crypto.randomUUID()
      await body().finally(closeAll)
    })
  return { name, mongoUrl, world: () => world, epoch: () => epoch, create, count, insert, spawnWorker, each }
}

/** Waits for what a process says. */
export async function heard(child: ChildProcess, text: string, timeoutMs = 20_000): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  let output = ''
  while (!output.includes(text)) {
    assert.ok(child.stdout)
    const [chunk] = await once(child.stdout, 'data', { signal })
    output += chunk
  }
}
