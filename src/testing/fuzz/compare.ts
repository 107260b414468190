import { startTestServers } from '../servers.ts'
import { excludedChannels, principals } from './data.ts'
import { type Counts, openTrial, type Trial } from './run.ts'
import { createStage, type Stage } from './stage.ts'

type Options = {
  /** For each principal. */
  operations: number
  seed: number
  names: string[] | undefined
  stopAtFirst: boolean
  say: (line: string) => void
}

type Result = Counts & {
  seed: number
  seconds: number
  excludedChannels: readonly string[]
  principals: Record<string, Counts & { hidden: number; coverage: number }>
}

/** The databases go back to their beginning after so many operations. */
const perRound = 100

/** A run in which less than this succeeds has tried too little to say anything. */
const least = { telling: 0.4, changing: 0.2, coverage: 0.8 }

export async function compare(options: Options): Promise<{ result: Result; invalid: string[] }> {
  const { names, seed, say } = options
  const chosen = principals.filter(({ name }) => names?.includes(name) ?? true)
  if (chosen.length === 0) throw new Error('There is no such principal.')
  const began = performance.now()
  const servers = await startTestServers(say)
  Object.assign(process.env, servers.env)
  const trials: Trial[] = []
  let stage: Stage | undefined
  try {
    stage = await createStage(servers.env.DATABASE_URL)
    for (const principal of chosen) trials.push(await openTrial(stage, principal, seed))
    await runRounds(trials, options)
    for (const trial of trials) report(trial, say)
    return { result: resultOf(trials, seed, (performance.now() - began) / 1000), invalid: trials.flatMap(weaknesses) }
  } finally {
    for (const trial of trials) await trial.close()
    await stage?.close()
    await servers.stop()
  }
}

/** Every principal a round in turn, so that what is found is found early. */
async function runRounds(trials: readonly Trial[], { operations, stopAtFirst, say }: Options): Promise<void> {
  for (let done = 0; done < operations; done += perRound) {
    for (const trial of trials) {
      await trial.round(Math.min(perRound, operations - done))
      if (stopAtFirst && trial.findings.length > 0) return
    }
    if (done % 1000 === 0) say(`${done + perRound} operations of each principal`)
  }
}

function report({ principal, counts, findings, faults }: Trial, say: Options['say']): void {
  say(`${principal.name}: ${JSON.stringify(counts)}`)
  for (const { query, variables, what, a, b } of findings) {
    say(`\n${what} for ${principal.name}\n${query}\n${JSON.stringify(variables)}\n  ${a}\n  ${b}`)
  }
  for (const fault of faults) say(`\nINTERNAL for ${principal.name}\n${fault}`)
}

/** Why this says too little. */
function weaknesses({ principal: { name }, counts, coverage, hidden }: Trial): string[] {
  const { operations, telling, mutations, changing } = counts
  const shares = { telling: telling / operations, changing: changing / mutations, coverage: coverage() }
  const low = (Object.keys(least) as (keyof typeof least)[]).filter((key) => shares[key] < least[key])
  return [
    ...low.map((key) => `${name}: the share of ${key} operations is ${shares[key].toFixed(2)}, below ${least[key]}.`),
    ...(hidden === 0 && name !== 'key' ? [`${name}: the two databases do not differ.`] : []),
  ]
}

function resultOf(trials: readonly Trial[], seed: number, seconds: number): Result {
  const sum = (key: keyof Counts) => trials.reduce((total, { counts }) => total + counts[key], 0)
  return {
    operations: sum('operations'),
    differences: sum('differences'),
    telling: sum('telling'),
    mutations: sum('mutations'),
    changing: sum('changing'),
    internal: sum('internal'),
    seed,
    seconds: Math.round(seconds),
    excludedChannels,
    principals: Object.fromEntries(
      trials.map(({ principal, counts, hidden, coverage }) => [
        principal.name,
        { ...counts, hidden, coverage: coverage() },
      ]),
    ),
  }
}
