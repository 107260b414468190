/**
 * `node functions-runtime/testing/measure.ts [seconds]`: how fast an executor is by itself, through its frames; one line of
 * JSON. Alone on the machine, or it says nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { residentBytes } from '../isolate/memory.ts'
import { type Caller, program, startExecutor, type TestExecutor } from './executor.ts'
import { childrenOf } from './processes.ts'

/** A bundle of about 70 KB, as one with a few packages is; different for each `n`. */
const bundle = (n: number): string => {
  const functions = Array.from({ length: 1_500 }, (_, i) => `function f${i}(a) { return a + ${i} + ${n} }`).join('\n')
  return `${functions}\n${program('({ req, res }) => res.json({ ok: f1(1), path: req.path })')}`
}

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
const quantile = (values: readonly number[], share: number) =>
  Number(
    (
      at(
        [...values].sort((a, b) => a - b),
        share,
      ) ?? Number.NaN
    ).toFixed(2),
  )

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function succeed(caller: Caller, source: string, tenant: string): Promise<void> {
  const { end } = await caller.run(source, { tenant, functionId: tenant, limits: { memoryMb: 128 } })
  if (end.failure) throw new Error(`${end.failure.reason}: ${end.failure.message}`)
}

/** First runs of tenants that nobody has heard of, with a spare at hand or without. */
async function cold(caller: Caller, count: number, pauseMs: number): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < count; n += 1) {
    const source = bundle(Math.random())
    times.push(await timed(() => succeed(caller, source, `prj_${Math.random()}`)))
    await sleep(pauseMs)
  }
  return times
}

async function warm(caller: Caller, seconds: number, callers: number): Promise<{ perSecond: number; times: number[] }> {
  const source = bundle(0)
  await succeed(caller, source, 'prj_warm')
  const times: number[] = []
  const until = performance.now() + seconds * 1_000
  const loop = async () => {
    while (performance.now() < until) times.push(await timed(() => succeed(caller, source, 'prj_warm')))
  }
  await Promise.all(Array.from({ length: callers }, loop))
  return { perSecond: Math.round(times.length / seconds), times }
}

/** One tenant's steady calls while another loops what kills its process. */
async function neighbour(executor: TestExecutor, seconds: number): Promise<{ failures: number; times: number[] }> {
  const [caller, other] = [await executor.connect(), await executor.connect()]
  const killers = ["'x'.repeat(2 ** 28).split('')", 'Array(1e9).fill(0)', '(() => { for (;;); })()'].map((body) =>
    program(`() => { ${body} }`),
  )
  const until = performance.now() + seconds * 1_000
  const attack = async () => {
    for (let n = 0; performance.now() < until; n += 1) {
      await other.run(killers[n % killers.length] ?? '', { tenant: 'prj_bad', limits: { timeoutMs: 1_000 } })
    }
  }
  const times: number[] = []
  let failures = 0
  const steady = async () => {
    while (performance.now() < until) {
      await timed(() => succeed(caller, bundle(0), 'prj_good')).then(
        (ms) => times.push(ms),
        () => {
          failures += 1
        },
      )
      await sleep(5)
    }
  }
  await Promise.all([attack(), attack(), ...Array.from({ length: 4 }, steady)])
  return { failures, times }
}

/** What one more idle function holds in its project's process. */
async function idle(caller: Caller, executor: TestExecutor, count: number): Promise<number> {
  const run = (n: number) =>
    caller.run(bundle(n), { tenant: 'prj_idle', functionId: `fun_${n}`, limits: { memoryMb: 128 } })
  const roots = childrenOf(executor.child.pid).filter(({ parent }) => parent === executor.child.pid)
  await run(0)
  await sleep(500)
  const bytes = async () =>
    (await Promise.all(roots.map(({ pid }) => residentBytes(pid)))).reduce<number>((sum, one) => sum + (one ?? 0), 0)
  const begun = await bytes()
  for (let n = 1; n <= count; n += 1) await run(n)
  await sleep(1_000)
  return ((await bytes()) - begun) / count / 1024 / 1024
}

const seconds = Number(process.argv[2] ?? 8)
const executor = await startExecutor()
const caller = await executor.connect()
await sleep(1_000)
const spared = await cold(caller, 15, 400)
const unspared = await cold(caller, 8, 0)
const alone = await warm(caller, seconds, 1)
const eight = await warm(caller, seconds, 8)
await sleep(500)
const idleMb = await idle(caller, executor, 20)
const beside = await neighbour(executor, seconds)
const result = {
  supervisorRunsPerSecond: eight.perSecond,
  eightP50Ms: quantile(eight.times, 0.5),
  eightP99Ms: quantile(eight.times, 0.99),
  coldP50Ms: quantile(spared, 0.5),
  coldMaxMs: quantile(spared, 1),
  coldNoSpareP50Ms: quantile(unspared, 0.5),
  warmP50Ms: quantile(alone.times, 0.5),
  idleFunctionMb: Number(idleMb.toFixed(2)),
  neighbourFailures: beside.failures,
  neighbourP99Ms: quantile(beside.times, 0.99),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
await executor.stop()
