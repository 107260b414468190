import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { createSchemas, type Schemas } from '../schema/schemas.ts'
import type { Context } from '../src/context.ts'
import { defineJob } from '../src/job.ts'
import { newId } from '../src/lib/ids.ts'
import { createQueue, type Queue } from '../src/platform/queue/queue.ts'
import { operate } from '../src/testing/operation.ts'
import { eventually } from '../src/testing/receiver.ts'
import { tickTimes } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Loop, startBridge, sweep } from './bridge.ts'
import { onEvent, type Worker } from './implement.ts'
import { jobs } from './jobs.ts'
import { startRelay } from './relay.ts'
import '../src/testing/agenda.ts'

const each = defineJob({ name: 'ticks.each', data: z.object({ n: z.number() }), concurrency: 5, retryAfterMs: [10] })
const ticks: Worker = {
  name: 'ticks',
  jobs: [],
  reactions: [onEvent(['ticks.created'], each, { data: ({ payload }) => ({ n: (payload as { n: number }).n }) })],
}

const list = `query ($status: JobStatus, $first: Int, $after: String) {
  jobs(where: { status: $status, name: "ticks.each" }, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage } nodes { id name key status error data diedAt }
  }
}`
const replay = 'mutation ($id: ID!) { replayJob(id: $id) { id status } }'
const discard = 'mutation ($id: ID!) { discardJob(id: $id) { id status } }'
const runsOf = 'query ($id: ID!) { jobRuns(where: { jobId: $id }) { totalCount nodes { attempt outcome error } } }'
const queues = '{ jobQueues { name pending running dead oldestPendingAt } eventLag { consumer events seconds } }'

for (const [name, MONGODB_URL] of Object.entries({ postgres: undefined, mongo: process.env.MONGODB_URL })) {
  describe(`jobs on ${name}`, { skip: name === 'mongo' && !MONGODB_URL && 'MONGODB_URL is not set' }, () => {
    let world: World
    let schemas: Schemas
    let ctx: Context
    let queue: Queue
    let loops: Loop[] = []
    let broken = true
    const ran: number[] = []

    before(async () => {
      world = await createWorld()
      schemas = createSchemas(world.app)
      ctx = (await world.createProject()).owner
      const { sql, log, env, tails } = world.app
      const times = { pollEveryMs: 300 }
      queue = createQueue({ sql, log, redisUrl: env.REDIS_URL, epoch: tails.epoch, mongoUrl: MONGODB_URL, ...times })
      queue.define(each, async ({ data }) => {
        if (broken) throw new Error('The mill stands still.')
        ran.push(each.data.parse(data).n)
        return undefined
      })
      queue.start()
      await eventually(() => queue.enqueue({ name: 'warm' }, 'up', {}))
      loops = [startRelay(world.app), startBridge(world.app, queue, [ticks, jobs], [])]
      await tickTimes(ctx, 'a', 0, 3)
      await eventually(async () => assert.equal((await dead()).totalCount, 3))
    })
    after(async () => {
      await Promise.all(loops.map((loop) => loop.stop()))
      await queue.close()
      await schemas.close()
      await world.close()
    })

    const ask = async (source: string, variables = {}, caller = ctx) => {
      const { data, errors } = await operate(schemas, caller, source, variables)
      assert.deepEqual(errors, [])
      return data ?? {}
    }
    const dead = async (variables = {}) => (await ask(list, { status: 'DEAD', ...variables })).jobs
    const oneDead = async (): Promise<string> => (await dead({ first: 1 })).nodes[0].id

    test('dead jobs say why, and are listed by pages', async () => {
      const first = await dead({ first: 2 })
      assert.equal(first.pageInfo.hasNextPage, true)
      const second = await dead({ first: 2, after: first.pageInfo.endCursor })
      const nodes = [...first.nodes, ...second.nodes]
      assert.deepEqual([...new Set(nodes.map(({ data }) => data.n))].sort(), [0, 1, 2])
      for (const { id, key, error, diedAt } of nodes)
        assert.deepEqual([id, error, !diedAt], [`ticks.each:${key}`, 'The mill stands still.', false])
      const { nodes: runs } = (await ask(runsOf, { id: nodes[0].id })).jobRuns
      assert.deepEqual(
        runs.map((run: { attempt: number; outcome: string }) => [run.attempt, run.outcome]),
        [
          [2, 'FAILED'],
          [1, 'FAILED'],
        ],
      )
    })

    test('how many there are is said by name, and how far the bridge is behind', async () => {
      const data = await ask(queues)
      assert.deepEqual(data.jobQueues, [{ name: 'ticks.each', pending: 0, running: 0, dead: 3, oldestPendingAt: null }])
      await eventually(async () => assert.deepEqual(lagOf(await ask(queues)), ['bridge', 0, 0]))
    })

    test('who runs another project finds none of it', async () => {
      const id = await oneDead()
      const { owner: other } = await world.createProject()
      assert.equal((await ask(list, {}, other)).jobs.totalCount, 0)
      assert.equal((await ask(runsOf, { id }, other)).jobRuns.totalCount, 0)
      assert.deepEqual((await ask(queues, {}, other)).jobQueues, [])
      for (const source of [replay, discard])
        assert.deepEqual((await operate(schemas, other, source, { id })).errors, [
          'NOT_FOUND There is no such job. (id)',
        ])
      assert.equal((await dead()).totalCount, 3)
    })

    test('a job that is not dead is neither replayed nor discarded', async () => {
      const job = 'ticks.each:waits'
      await ctx.db.jobAttempt.create({ data: { job, projectId: ctx.projectId } })
      for (const source of [replay, discard])
        assert.match((await operate(schemas, ctx, source, { id: job })).errors[0] ?? '', /^CONFLICT/)
      await ctx.db.jobAttempt.delete({ where: { job } })
    })

    test('a job that is replayed succeeds, once; one that dies again can be replayed again', async () => {
      const id = await oneDead()
      await ask(replay, { id })
      await eventually(async () => assert.equal((await ask(runsOf, { id })).jobRuns.totalCount, 4))
      await eventually(async () => assert.equal((await dead()).totalCount, 3))
      broken = false
      assert.equal((await ask(replay, { id })).replayJob.status, 'PENDING')
      await eventually(() => owedAgain(id))
      assert.equal(ran.length, 1)
      const { nodes: runs } = (await ask(runsOf, { id })).jobRuns
      assert.deepEqual([runs.length, runs[0]], [5, { attempt: 1, outcome: 'SUCCEEDED', error: null }])
      assert.match((await operate(schemas, ctx, replay, { id })).errors[0] ?? '', /^CONFLICT/)
    })

    test('a job that is discarded is not run again', async () => {
      const id = await oneDead()
      assert.equal((await ask(discard, { id })).discardJob.status, 'DONE')
      assert.equal((await dead()).totalCount, 1)
      await sweep(world.app, queue, [jobs])
      assert.equal((await ask(runsOf, { id })).jobRuns.totalCount, 2)
    })

    /** Where the queue had not put it down yet when it was told, the sweeper does it. */
    async function owedAgain(id: string): Promise<void> {
      await world.app.sql.query(`update job_attempts set "replayedAt" = "replayedAt" - interval '6 s' where job = $1`, [
        id,
      ])
      await sweep(world.app, queue, [jobs])
      assert.equal((await ctx.db.jobAttempt.findUnique({ where: { job: id } }))?.attempts, -1)
    }
  })
}

function lagOf(data: Record<string, { consumer: string; events: number; seconds: number }[]>) {
  const bridge = data.eventLag?.find(({ consumer }) => consumer === 'bridge')
  return [bridge?.consumer, bridge?.events, bridge?.seconds]
}

describe('jobs that serve many projects', () => {
  let world: World
  let schemas: Schemas
  const job = 'deliveries.send:moment'

  before(async () => {
    world = await createWorld({ OPERATORS: 'Root@example.org, other@example.org' })
    schemas = createSchemas(world.app)
    await world.app.db.jobAttempt.create({
      data: { job, data: { webhookIds: [] }, quarantinedAt: new Date(), error: 'no' },
    })
  })
  after(async () => {
    await schemas.close()
    await world.close()
  })

  const account = async (data: object) => {
    const { owner, ownerAtConsole } = await world.createProject()
    await world.app.db.user.update({ where: { id: owner.actor?.kind === 'account' ? owner.actor.id : '' }, data })
    return { owner, ownerAtConsole }
  }
  const listed =
    '{ jobs(where: { status: DEAD }) { totalCount nodes { id data error } } jobQueues { name dead } jobRuns { totalCount } }'

  test('nobody sees them but who has proved an address of those who run the installation', async () => {
    const others = [
      await account({ emailVerified: true }),
      await account({ email: 'other@example.org', emailVerified: false }),
    ]
    const root = await account({ email: 'root@example.org', emailVerified: true })
    for (const ctx of [...others.flatMap(({ owner, ownerAtConsole }) => [owner, ownerAtConsole]), root.owner]) {
      const { data, errors } = await operate(schemas, ctx, listed)
      assert.deepEqual([errors, data?.jobs.totalCount, data?.jobQueues], [[], 0, []])
      for (const source of [replay, discard])
        assert.deepEqual((await operate(schemas, ctx, source, { id: job })).errors, [
          'NOT_FOUND There is no such job. (id)',
        ])
    }
    assert.notDeepEqual((await operate(schemas, world.context('console'), listed)).errors, [])
  })

  test('who runs the installation replays and discards them, and none of a project', async () => {
    const { ownerAtConsole: root } = await account({ email: 'Root@Example.org', emailVerified: true })
    const { projectId } = await world.createProject()
    const theirs = { job: 'mails.send:theirs', projectId, quarantinedAt: new Date() }
    await world.app.db.jobAttempt.create({ data: theirs })
    const { data, errors } = await operate(schemas, root, listed)
    assert.deepEqual(errors, [])
    assert.deepEqual(data?.jobs.nodes, [{ id: job, data: { webhookIds: [] }, error: 'no' }])
    assert.deepEqual([data?.jobQueues, data?.jobRuns.totalCount], [[{ name: 'deliveries.send', dead: 1 }], 0])
    const one = 'query ($id: ID!, $theirs: ID!) { job(id: $id) { id } theirs: job(id: $theirs) { id } }'
    assert.deepEqual((await operate(schemas, root, one, { id: job, theirs: theirs.job })).data, {
      job: { id: job },
      theirs: null,
    })
    for (const source of [replay, discard])
      assert.deepEqual((await operate(schemas, root, source, { id: theirs.job })).errors, [
        'NOT_FOUND There is no such job. (id)',
      ])
    assert.deepEqual((await operate(schemas, root, replay, { id: job })).errors, [])
    assert.deepEqual(await world.emitted(), ['jobs.replayed'])
    await world.app.sql.query(`update job_attempts set "replayedAt" = "replayedAt" - interval '6 s' where job = $1`, [
      job,
    ])
    assert.deepEqual(await jobs.owed?.(world.app), [
      { job: { name: 'deliveries.send' }, key: 'moment', data: { webhookIds: [] }, projectId: null, isRevived: true },
    ])
  })
})

describe('what was given up with a job', () => {
  let world: World
  let schemas: Schemas

  before(async () => {
    world = await createWorld()
    schemas = createSchemas(world.app)
  })
  after(async () => {
    await schemas.close()
    await world.close()
  })

  test('a mail waits again when its job is replayed', async () => {
    const { owner: ctx, projectId } = await world.createProject()
    const mail = { projectId, eventId: crypto.randomUUID(), template: 'verification', recipient: 'ann@example.org' }
    const { id } = await ctx.db.mail.create({ data: { id: newId('mai'), ...mail, status: 'FAILED', error: 'no' } })
    const job = `mails.send:${id}`
    await ctx.db.jobAttempt.create({ data: { job, projectId, data: { mailId: id }, quarantinedAt: new Date() } })
    assert.deepEqual((await operate(schemas, ctx, replay, { id: job })).errors, [])
    assert.equal((await ctx.db.mail.findUnique({ where: { id } }))?.status, 'PENDING')
    assert.deepEqual(await world.emitted(), ['jobs.replayed'])
  })

  test('when it was replayed is PostgreSQL’s time, whatever the clock of the node says', async () => {
    const { owner, projectId } = await world.createProject()
    const job = `ticks.each:${projectId}`
    await owner.db.jobAttempt.create({ data: { job, projectId, quarantinedAt: new Date() } })
    const ahead: Context = { ...owner, clock: () => new Date(Date.now() + 3_600_000) }
    assert.deepEqual((await operate(schemas, ahead, replay, { id: job })).errors, [])
    const { rows } = await world.app.sql.query(
      `select "replayedAt" between clock_timestamp() - interval '1 min' and clock_timestamp() as now from job_attempts where job = $1`,
      [job],
    )
    assert.deepEqual(rows, [{ now: true }])
  })

  test('a run of a task waits again when its job is replayed', async () => {
    const { owner: ctx, projectId } = await world.createProject()
    const task = { name: 't', schedule: '0 0 1 1 *', url: 'https://example.org' }
    await ctx.db.task.create({ data: { id: newId('tsk'), projectId, ...task, runs: { create: run(projectId) } } })
    const { id } = await ctx.db.taskRun.findFirstOrThrow({ where: { projectId } })
    const job = `tasks.run:${id}`
    await ctx.db.jobAttempt.create({ data: { job, projectId, data: { runId: id }, quarantinedAt: new Date() } })
    assert.deepEqual((await operate(schemas, ctx, replay, { id: job })).errors, [])
    assert.equal((await ctx.db.taskRun.findUnique({ where: { id } }))?.status, 'PENDING')
  })
})

function run(projectId: string) {
  return { id: newId('run'), projectId, scheduledAt: new Date(), status: 'FAILED' as const, error: 'no' }
}
