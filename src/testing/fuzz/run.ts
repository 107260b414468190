import { type Answered, holdsData } from './answers.ts'
import type { Principal } from './data.ts'
import { createGenerator, type Generator } from './generate.ts'
import { firstPool, harvest } from './harvest.ts'
import type { Pool } from './pool.ts'
import { type Random, randomOf } from './random.ts'
import { countDifferences } from './rows.ts'
import { shrink } from './shrink.ts'
import { owner, type Pair, type Stage, type World } from './stage.ts'
import { type OperationTree, type Printed, print } from './tree.ts'
import { viewsOf } from './views.ts'

/** An operation that told what its caller may not know, or that two ways of running it answer in two ways. */
export type Finding = Printed & { principal: string; what: 'difference' | 'view'; a: string; b: string }

export type Counts = {
  operations: number
  /** Answers that hold data. */
  telling: number
  mutations: number
  /** Mutations that left an event. */
  changing: number
  /** Answers with the code INTERNAL: faults, if not of permissions. */
  internal: number
  differences: number
}

/** One principal and the two databases that must look the same to them. */
export type Trial = {
  principal: Principal
  counts: Counts
  /** Rows that differ between the databases. */
  hidden: number
  /** Whether they are shown any mutation. */
  mayChange: boolean
  /** Share of what the schema offers that was asked for. */
  coverage: () => number
  findings: Finding[]
  /** Operations that were answered INTERNAL, by what the log said of them. */
  faults: Map<string, Printed>
  /** Runs this many operations on the databases as they were in the beginning. */
  round: (operations: number) => Promise<void>
  close: () => Promise<void>
}

type Running = {
  trial: Trial
  pair: Pair
  random: Random
  generator: Generator
  views: readonly OperationTree[]
  pool: Pool
  turn: number
}

/** At most this many are shrunk and kept: one bug answers for hundreds. */
const kept = 3

export async function openTrial(stage: Stage, principal: Principal, seed: number): Promise<Trial> {
  const pair = await stage.createPair(principal)
  const random = randomOf(`${seed}/${principal.name}`)
  const first = await firstPool(pair, principal)
  const schema = await pair.a.schemaFor(principal)
  const pool = structuredClone(first)
  const turns = { now: 1 }
  const newId = () => `new-${turns.now}-${random.below(1000)}`
  const options = { except: pair.a.common, random, pool, newId }
  const generator = createGenerator({ schema, ...options })
  const beyond = createGenerator({ schema: await pair.a.schemaFor(owner), ...options })
  const counts: Counts = { operations: 0, telling: 0, mutations: 0, changing: 0, internal: 0, differences: 0 }
  const trial: Trial = {
    principal,
    counts,
    hidden: countDifferences(principal),
    mayChange: generator.mutation() !== null,
    coverage: () => [...generator.askable].filter((one) => generator.asked.has(one)).length / generator.askable.size,
    findings: [],
    faults: new Map(),
    round: async (operations) => {
      refill(pool, first)
      await reset(pair)
      for (let i = 0; i < operations; i += 1) {
        turns.now += 1
        const from = random.chance(0.02) ? beyond : generator
        await step({ trial, pair, random, generator: from, views, pool, turn: turns.now })
      }
      await compareViews({ trial, pair, random, generator, views, pool, turn: turns.now })
    },
    close: async () => {
      await pair.a.close()
      await pair.b.close()
    },
  }
  const views = viewsOf(schema, pair.a.common)
  return trial
}

/** What was learned of rows that are gone again is forgotten. */
function refill(pool: Pool, first: Pool): void {
  const fresh = structuredClone(first)
  for (const key of ['values', 'readable', 'hidden', 'places'] as const) {
    pool[key].clear()
    for (const [name, list] of fresh[key]) pool[key].set(name, list as never)
  }
}

async function reset({ a, b }: Pair): Promise<void> {
  await Promise.all([a.reset(), b.reset()])
}

async function step(running: Running): Promise<void> {
  const { random, generator, trial, pair, pool, turn } = running
  const tree = (random.chance(0.35) ? generator.mutation() : null) ?? generator.query()
  const printed = print(tree)
  const [a, b] = await both(running, printed, turn)
  await count(running, tree, a)
  if (a !== b) {
    trial.counts.differences += 1
    if (trial.findings.length < kept) trial.findings.push(await reduce(running, tree, a, b))
    // From here on the two databases may go different ways for this reason alone.
    if (tree.kind === 'mutation') await reset(pair)
    return
  }
  harvest(pool, tree, JSON.parse(a))
  if (turn % 25 === 0) await compareViews(running)
}

async function both({ pair, trial }: Pick<Running, 'pair' | 'trial'>, printed: Printed, turn: number) {
  return Promise.all([pair.a.run(trial.principal, printed, turn), pair.b.run(trial.principal, printed, turn)])
}

const events = new WeakMap<Pair, number>()

async function count(running: Running, tree: OperationTree, bytes: string): Promise<void> {
  const { trial, pair } = running
  const { counts, faults } = trial
  const answer: Answered = JSON.parse(bytes)
  counts.operations += 1
  if (holdsData(answer)) counts.telling += 1
  if (isFault(bytes)) {
    counts.internal += 1
    const cause = causeOf(pair.a)
    if (faults.size < kept && !faults.has(cause)) faults.set(cause, await reduceFault(running, tree, cause))
  }
  if (tree.kind === 'query') return
  counts.mutations += 1
  const now = await pair.a.countEvents()
  if (now > (events.get(pair) ?? 0)) counts.changing += 1
  events.set(pair, now)
}

function isFault(bytes: string): boolean {
  const { errors }: Answered = JSON.parse(bytes)
  return errors?.some(({ extensions }) => extensions?.code === 'INTERNAL') ?? false
}

/** What the log says, without what differs from one operation to the next. */
function causeOf({ lastFault }: World): string {
  return lastFault().replaceAll(/\d+/g, 'N')
}

async function reduceFault({ pair, trial, turn }: Running, tree: OperationTree, cause: string): Promise<Printed> {
  const smallest = await shrink(tree, async (smaller) => {
    if (tree.kind === 'mutation') await reset(pair)
    return isFault(await pair.a.run(trial.principal, print(smaller), turn)) && causeOf(pair.a) === cause
  })
  if (tree.kind === 'mutation') await reset(pair)
  return print(smallest)
}

/** Whatever was changed, what the principal can read must still be the same. */
async function compareViews(running: Running): Promise<void> {
  const { trial, views, pair, turn } = running
  for (const tree of views) {
    const [a, b] = await both(running, print(tree), turn)
    if (a === b) continue
    trial.counts.differences += 1
    if (trial.findings.length < kept)
      trial.findings.push({ ...print(tree), principal: trial.principal.name, what: 'view', a, b })
    return reset(pair)
  }
}

/** The operation by itself, on the databases as they were, if it still tells; and as little of it as does. */
async function reduce(running: Running, tree: OperationTree, a: string, b: string): Promise<Finding> {
  const { pair, turn, trial } = running
  const answers = async (smaller: OperationTree) => {
    if (tree.kind === 'mutation') await reset(pair)
    return both(running, print(smaller), turn)
  }
  const smallest = await shrink(tree, async (smaller) => {
    const [one, other] = await answers(smaller)
    return one !== other
  })
  const [one, other] = smallest === tree ? [a, b] : await answers(smallest)
  return { ...print(smallest), principal: trial.principal.name, what: 'difference', a: one, b: other }
}
