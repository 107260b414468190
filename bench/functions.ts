/**
 * `npm run bench:functions`: functions in isolates, end to end through the API, each execution a row before it is answered: how
 * long a first run takes and a later one, how many there are in a second beside the executor alone, what one project notices
 * of another that keeps killing its process, and what a function holds while nobody calls it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { apiOptions } from '../src/node-options.ts'
import { ask, createKey, type Peer } from './client.ts'
import type { Called, Calls } from './functions/callers.ts'
import { type Executor, startExecutor } from './functions/executor.ts'
import { bundle, killers, type Made, make } from './functions/programs.ts'
import type { Load, Measured } from './load.ts'
import { type Options, type Outcome, runBenchmark } from './options.ts'
import { type Part, startPart } from './parts.ts'
import { createProject } from './projects.ts'
import { median, percentile, round, say } from './say.ts'
import { type Ground, prepareGround } from './servers.ts'

const usage = 'npm run bench:functions -- [--json] [--quick] [--rounds 5] [--seconds 4]'

const mutation = `mutation ($id: ID!) {
  createExecution(input: { functionId: $id, body: "{}" }) { status failure responseStatus isCold }
}`

type Stage = { ground: Ground; executor: Executor; api: Part; load: Part; direct: Part; peers: Map<string, Peer> }

/** How long it takes for a process to be at hand again, generously. */
const spareMs = 600

async function peerOf(stage: Stage, projectId: string): Promise<Peer> {
  const known = stage.peers.get(projectId)
  if (known) return known
  const authorization = await createKey(stage.ground.world, projectId, ['executions.write', 'executions.read'])
  const peer = { url: `${stage.api.told.url}/projects/${projectId}/graphql`, authorization }
  stage.peers.set(projectId, peer)
  return peer
}

const bodyOf = ({ functionId }: Made) => ({ query: mutation, variables: { id: functionId } })

/** Executions through the API, one after the other, in milliseconds. Throws when one did not complete, or was not as cold as is said. */
async function execute(stage: Stage, made: Made, isCold: boolean, most = 1): Promise<readonly number[]> {
  const { latencies, failures } = await stage.load.ask<Measured>({
    ...(await peerOf(stage, made.projectId)),
    bodies: [JSON.stringify(bodyOf(made))],
    ...{ connections: 1, seconds: 60, most },
    expected: `"status":"COMPLETED","failure":null,"responseStatus":200,"isCold":${isCold}`,
  })
  if (failures[0]) throw new Error(`A run was not ${isCold ? 'cold' : 'warm'}, or failed: ${failures[0]}`)
  return latencies
}

async function makeSome(stage: Stage, projects: number): Promise<Made[]> {
  const made: Made[] = []
  for (let i = 0; i < projects; i++) {
    const { id } = await createProject(stage.ground.world, { collections: 1, attributes: 1 })
    const one = await make(stage.ground.world, id, 'first')
    await warmSchema(stage, one)
    made.push(one)
  }
  return made
}

/** Whoever asks first waits for the project's schema too, which is measured by `bench:schema`. */
async function warmSchema(stage: Stage, { projectId }: Made): Promise<void> {
  await ask(await peerOf(stage, projectId), { query: '{ __typename }' })
}

/** First runs of projects without a process: with one at hand, and at once after another that has taken it. */
async function measureCold(stage: Stage, count: number): Promise<{ withSpare: number[]; without: number[] }> {
  const made = await makeSome(stage, count * 2)
  const withSpare: number[] = []
  const without: number[] = []
  await sleep(spareMs)
  for (let i = 0; i < count; i++) {
    const [one, two] = made.slice(i * 2, i * 2 + 2)
    if (!one || !two) break
    withSpare.push(...(await execute(stage, one, true)))
    without.push(...(await execute(stage, two, true)))
    await sleep(spareMs)
  }
  return { withSpare, without }
}

const direct = (made: Made, seconds: number): Calls => ({
  tenant: made.projectId,
  codes: [made.code],
  callers: 8,
  seconds,
  timeoutMs: 10_000,
})

async function measureRates(stage: Stage, made: Made, { rounds, seconds }: Options) {
  const api: number[] = []
  const alone: number[] = []
  const failures: string[] = []
  let answered = 0
  const load: Load = {
    ...(await peerOf(stage, made.projectId)),
    bodies: [JSON.stringify(bodyOf(made))],
    connections: 8,
    seconds,
  }
  for (let i = 0; i < rounds; i++) {
    const through = await stage.load.ask<Measured>(load)
    const called = await stage.direct.ask<Called>(direct(made, seconds))
    answered += through.requests
    failures.push(...through.failures, ...called.failures)
    api.push(through.rps)
    alone.push(called.perSecond)
    say(
      `  round ${i + 1}: ${round(through.rps, 0)} runs/s through the API, ${round(called.perSecond, 0)} of the executor alone`,
    )
  }
  const ratios = api.map((rate, i) => rate / (alone[i] ?? 1))
  return { perSecond: median(api), alone: median(alone), ratio: median(ratios), failures, answered }
}

/** One project's runs while another keeps killing its process. */
async function measureNeighbour(stage: Stage, made: Made, seconds: number) {
  const hostile: Calls = { tenant: 'hostile', codes: killers, callers: 1, seconds: seconds + 0.5, timeoutMs: 1_000 }
  const killing = stage.direct.ask<Called>(hostile)
  await sleep(250)
  const load: Load = {
    ...(await peerOf(stage, made.projectId)),
    bodies: [JSON.stringify(bodyOf(made))],
    connections: 2,
    seconds,
    perSecond: 50,
  }
  const measured = await stage.load.ask<Measured>(load)
  const killed = await killing
  say(`  beside ${killed.runs} runs that kill: ${measured.requests} runs, p99 ${round(measured.p99Ms)} ms`)
  return measured
}

/** What a project's process adds to an executor, and each of many functions in it, while none of them runs. */
async function measureIdle(count: number): Promise<{ each: number; process: number }> {
  const executor = await startExecutor()
  const caller = await startPart('functions/callers.ts', { url: executor.url, secret: executor.secret })
  const run = async (codes: string[]) => {
    const calls: Calls = { tenant: 'idle', codes, callers: 1, seconds: 30, runs: codes.length, timeoutMs: 10_000 }
    const { failures } = await caller.ask<Called>(calls)
    if (failures[0]) throw new Error(`A run failed: ${failures[0]}`)
    await sleep(spareMs * 3)
    return executor.memoryMb()
  }
  try {
    await sleep(spareMs)
    const none = await executor.memoryMb()
    const first = await run([bundle('first')])
    const all = await run(Array.from({ length: count }, (_, i) => bundle(`idle ${i}`)))
    say(`  an executor holds ${round(none, 0)} MB, a project's process ${round(first - none, 0)} MB more`)
    return { each: (all - first) / count, process: first - none }
  } finally {
    await caller.stop()
    await executor.stop()
  }
}

/** Every run that was answered is a row that says so. */
async function countLost({ ground }: Stage, made: Made, answered: number): Promise<number> {
  const { rows } = await ground.world.app.sql.query<{ count: number }>(
    `select count(*)::int as count from executions where "functionId" = $1 and status = 'COMPLETED'`,
    [made.functionId],
  )
  return Math.max(0, answered - (rows[0]?.count ?? 0))
}

async function measure(stage: Stage, options: Options): Promise<Outcome> {
  const { quick, seconds } = options
  say('first runs')
  const cold = await measureCold(stage, quick ? 2 : 20)
  const [made] = await makeSome(stage, 1)
  if (!made) throw new Error('There is no function.')
  await execute(stage, made, true)
  say('later runs')
  const warm = await execute(stage, made, false, quick ? 10 : 300)
  const rates = await measureRates(stage, made, options)
  const neighbour = await measureNeighbour(stage, made, quick ? 1 : Math.max(10, seconds))
  const idle = await measureIdle(quick ? 3 : 40)
  const lost = await countLost(stage, made, warm.length + rates.answered + neighbour.requests)
  const neighbourFailures = neighbour.failures.length
  const figures = {
    coldP50Ms: round(median(cold.withSpare)),
    coldNoSpareP50Ms: round(median(cold.without)),
    warmP50Ms: round(median(warm)),
    warmP99Ms: round(percentile(warm, 0.99)),
    runsPerSecond: round(rates.perSecond, 0),
    supervisorRunsPerSecond: round(rates.alone, 0),
    ratioToSupervisor: round(rates.ratio),
    neighbourFailures,
    neighbourP99Ms: round(neighbour.p99Ms),
    idleFunctionMb: round(idle.each),
    idleProcessMb: round(idle.process, 0),
    lost,
  }
  const broken = [
    ...rates.failures.slice(0, 1).map((failure) => `A run failed: ${failure}`),
    ...(neighbourFailures > 0 ? [`Runs of another project failed: ${neighbour.failures[0]}`] : []),
    ...(lost > 0 ? [`${lost} executions were answered and are not there.`] : []),
  ]
  return { figures, broken }
}

async function run(options: Options): Promise<Outcome> {
  const ground = await prepareGround(say)
  const closers: (() => Promise<unknown>)[] = [ground.close]
  try {
    const executor = await startExecutor()
    closers.push(executor.stop)
    const env = { ...ground.env, EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret }
    const start = async (...args: Parameters<typeof startPart>) => {
      const part = await startPart(...args)
      closers.push(part.stop)
      return part
    }
    const api = await start('api.ts', {}, env, apiOptions)
    const load = await start('load.ts', {})
    const direct = await start('functions/callers.ts', { url: executor.url, secret: executor.secret })
    return await measure({ ground, executor, api, load, direct, peers: new Map() }, options)
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

await runBenchmark(usage, { rounds: 5, seconds: 4 }, run)
