import { excludedChannels, principals } from './data.ts'
import { countDifferences } from './rows.ts'
import { openTrial } from './run.ts'
import { findServers } from './servers.ts'
import { createStage, type Stage } from './stage.ts'
import type { Counts, Trial } from './trial.ts'

type Options = {
  /** For each principal. */
  operations: number
  seed: number
  names: string[] | undefined
  stopAtFirst: boolean
  /** Compares only the two paths of one operation. */
  pathsOnly: boolean
  /** Answers are kept, of all collections. */
  cached: boolean
  /** Ends the run early; what it made is taken away as ever. */
  signal: AbortSignal
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

/** Shares of operations that answer data, of mutations that change something, of the schema that is asked for, of queries that the database answers whole. */
/** In a short run they are judged by what chance leaves of them: two standard errors less. */
function leastOf(key: keyof typeof least, count: number): number {
  const share = least[key]
  return share - 2 * Math.sqrt((share * (1 - share)) / Math.max(1, count))
}

const least = { telling: 0.4, changing: 0.3, coverage: 0.9, compiled: 0.5 }

/** Fewer operations cannot ask for everything. */
const enoughForCoverage = 1_000

export async function compare(options: Options): Promise<{ result: Result; invalid: string[] }> {
  const { names, seed, stopAtFirst, signal, say } = options
  // Whoever may read all finds no bug that tells what may not be read.
  const chosen = principals.filter((one) => names?.includes(one.name) ?? (!stopAtFirst || countDifferences(one) > 0))
  if (chosen.length === 0) throw new Error('There is no such principal.')
  const began = performance.now()
  const servers = await findServers(say)
  const trials: Trial[] = []
  let stage: Stage | undefined
  try {
    stage = await createStage(servers, options.cached, say)
    for (const principal of chosen) {
      signal.throwIfAborted()
      trials.push(await openTrial(stage, principal, options))
    }
    await runRounds(trials, options)
    signal.throwIfAborted()
    for (const trial of trials) report(trial, say)
    return { result: resultOf(trials, seed, (performance.now() - began) / 1000), invalid: trials.flatMap(weaknesses) }
  } finally {
    for (const trial of trials) await trial.close()
    await stage?.close()
    await servers.stop()
  }
}

/** A round of every principal, all at once, or one after another where the first finding ends the run. */
async function runRounds(trials: readonly Trial[], options: Options): Promise<void> {
  const { operations, stopAtFirst, signal, say } = options
  for (let done = 0; done < operations && !signal.aborted; done += perRound) {
    const round = (trial: Trial) => trial.round(Math.min(perRound, operations - done), options)
    if (stopAtFirst) {
      for (const trial of trials) {
        await round(trial)
        if (trial.findings.length > 0) return
      }
    } else await Promise.all(trials.map(round))
    if (done % 1000 === 0) say(`${done + perRound} operations of each principal`)
  }
}

const titles = {
  answer: 'The two databases answer differently',
  view: 'After this the two databases look different',
  path: 'The compiled and the ordinary path answer differently',
}

function report({ principal, counts, findings, faults }: Trial, say: Options['say']): void {
  say(`${principal.name}: ${JSON.stringify(counts)}`)
  for (const { query, variables, what, a, b } of findings) {
    const [one, other] = excerpts(a, b)
    say(`\n${titles[what]} (${principal.name}):\n${query}\n${JSON.stringify(variables)}\n  ${one}\n  ${other}`)
  }
  for (const [cause, { query, variables }] of faults) {
    say(`\nA fault for ${principal.name}: ${cause}\n${query}\n${JSON.stringify(variables)}`)
  }
}

/** Both texts, without most of what they begin with in common, where they are long. */
function excerpts(a: string, b: string): [string, string] {
  const most = 1_000
  if (a.length <= most && b.length <= most) return [a, b]
  let common = 0
  while (a[common] === b[common]) common += 1
  const from = Math.max(0, common - 200)
  return [`… ${a.slice(from, from + most)} …`, `… ${b.slice(from, from + most)} …`]
}

/** Why a run says too little: hardly anything succeeded, or there was nothing to tell. */
export function weaknesses({ principal, counts, coverage, hidden, mayChange }: Judged): string[] {
  const { operations, telling, mutations, changing, queries, compiled } = counts
  const shares = {
    telling: telling / operations,
    compiled: compiled / queries,
    changing: mayChange ? changing / mutations : 1,
    coverage: operations < enoughForCoverage ? 1 : coverage(),
  }
  const low = (Object.keys(least) as (keyof typeof least)[]).filter(
    (key) => !(shares[key] >= leastOf(key, key === 'changing' ? counts.mutations : counts.operations)),
  )
  return [
    ...low.map((key) => `${principal.name}: the share "${key}" is ${shares[key].toFixed(2)}, below ${least[key]}.`),
    ...(hidden === 0 && principal.roles ? [`${principal.name}: the two databases do not differ.`] : []),
  ]
}

type Judged = Pick<Trial, 'principal' | 'counts' | 'coverage' | 'hidden' | 'mayChange'>

function resultOf(trials: readonly Trial[], seed: number, seconds: number): Result {
  const sum = (key: keyof Counts) => trials.reduce((total, { counts }) => total + counts[key], 0)
  return {
    operations: sum('operations'),
    differences: sum('differences'),
    telling: sum('telling'),
    mutations: sum('mutations'),
    changing: sum('changing'),
    internal: sum('internal'),
    equal: sum('equal'),
    unequal: sum('unequal'),
    queries: sum('queries'),
    compiled: sum('compiled'),
    kept: sum('kept'),
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
