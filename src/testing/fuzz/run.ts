import { type Answered, holdsData } from './answers.ts'
import { type Principal, principals } from './data.ts'
import { createGenerator, type Generator } from './generate.ts'
import { firstPool, harvest } from './harvest.ts'
import type { Pool } from './pool.ts'
import { type Random, randomOf } from './random.ts'
import { changeableIds, countDifferences, creatableTypes, hiddenFields, secretIds } from './rows.ts'
import { shrink } from './shrink.ts'
import { owner, type Pair, type Path, type Stage, type World } from './stage.ts'
import { type OperationTree, type Printed, print, revalue } from './tree.ts'
import { type Finding, noCounts, type Trial } from './trial.ts'
import { viewsOf } from './views.ts'

type Running = {
  trial: Trial
  pathsOnly: boolean
  cached: boolean
  pair: Pair
  random: Random
  generator: Generator
  views: readonly OperationTree[]
  pool: Pool
  turn: number
  /** The mutations since the databases were as in the beginning. */
  history: OperationTree[]
}

/** At most this many of a sort are shrunk and kept: one bug answers for hundreds. */
const kept = 3

/** With `pathsOnly` both databases are alike, and only the paths are compared. */
export async function openTrial(
  stage: Stage,
  principal: Principal,
  { seed, pathsOnly, cached }: { seed: number; pathsOnly: boolean; cached: boolean },
): Promise<Trial> {
  const pair = await stage.createPair(principal, pathsOnly)
  const random = randomOf(`${seed}/${principal.name}`)
  const first = await firstPool(pair, principal)
  const schema = await pair.a.schemaFor(principal)
  const pool = structuredClone(first)
  const turns = { now: 1 }
  const newId = () => `new-${turns.now}-${random.below(1000)}`
  const options = {
    except: pair.a.common,
    random,
    pool,
    newId,
    tempting: hiddenFields(principal),
    changeable: changeableIds(principal),
    secret: secretIds(principal),
    creatable: creatableTypes(principal),
  }
  const generator = createGenerator({ schema, ...options })
  const beyond = createGenerator({ schema: await pair.a.schemaFor(owner), ...options })
  const counts = noCounts()
  const trial: Trial = {
    principal,
    counts,
    hidden: countDifferences(principal),
    mayChange: generator.mutation() !== null,
    coverage: () => [...generator.askable].filter((one) => generator.asked.has(one)).length / generator.askable.size,
    findings: [],
    faults: new Map(),
    round: async (operations, { stopAtFirst, signal }) => {
      refill(pool, first)
      await reset(pair)
      const history: OperationTree[] = []
      for (let i = 0; i < operations; i += 1) {
        if (signal.aborted) return
        if (stopAtFirst && trial.findings.length > 0) return
        turns.now += 1
        const from = random.chance(0.02) ? beyond : generator
        await step({ ...shared, random, generator: from, views, pool, history, turn: turns.now })
      }
      await compareViews({ ...shared, random, generator, views, pool, history, turn: turns.now })
      counts.kept = pair.a.kept() + pair.b.kept()
    },
    close: async () => {
      await pair.a.close()
      await pair.b.close()
    },
  }
  const shared = { trial, pathsOnly, cached, pair }
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
  const { random, generator } = running
  const tree = (random.chance(0.35) ? generator.mutation() : null) ?? generator.query()
  const isQuery = tree.kind === 'query'
  // What is kept is worth nothing to this run unless somebody else has asked for it.
  const others = isQuery ? (running.cached ? 3 : 1) : 0
  for (let i = 0; i < others; i += 1) if (random.chance(running.cached ? 0.75 : 0.1)) await warm(running, print(tree))
  await compare(running, isQuery && random.chance(0.15) ? await repeated(running, tree) : tree)
  if (running.turn % 25 === 0) await compareViews(running)
}

/** Somebody else asks the same before: what a server remembers of it must not be answered to another. */
async function warm({ random, pair, turn }: Running, printed: Printed): Promise<void> {
  const other = random.pick([...principals, owner])
  await Promise.all([pair.a.run(other, printed, turn), pair.b.run(other, printed, turn)])
}

/** The same with other values, after it was asked once. */
async function repeated(running: Running, tree: OperationTree): Promise<OperationTree> {
  await both(running, print(tree), running.turn)
  return revalue(tree)
}

/** A query by both paths on one database; a mutation, which can be done once, by one path on each. */
async function compare(running: Running, tree: OperationTree): Promise<void> {
  const { trial, pathsOnly, pair, pool, turn, history } = running
  const { counts, principal } = trial
  const printed = print(tree)
  const compiledBefore = pair.a.compiled()
  const isQuery = tree.kind === 'query'
  const [a, b] = await both(running, printed, turn, isQuery && !pathsOnly ? 'compiled' : 'ordinary')
  if (isQuery) counts.queries += 1
  counts.compiled += pair.a.compiled() - compiledBefore
  await count(running, tree, a)
  if (!isQuery) history.push(tree)
  const other = isQuery && !pathsOnly ? await pair.a.run(principal, printed, turn, 'ordinary') : b
  if (a === other) counts.equal += 1
  else if (isQuery || pathsOnly) await note(running, 'path', tree, a, other)
  if (a === b) return harvest(pool, tree, JSON.parse(a))
  if (!pathsOnly) await note(running, 'answer', tree, a, b)
  // From here on the two databases may go different ways for this reason alone.
  if (!isQuery) await startAnew(running)
}

async function note(running: Running, what: 'answer' | 'path', tree: OperationTree, a: string, b: string) {
  const { counts, findings } = running.trial
  counts[what === 'path' ? 'unequal' : 'differences'] += 1
  if (findings.filter((one) => one.what === what).length < kept) findings.push(await reduce(running, what, tree, a, b))
}

async function startAnew({ pair, history }: Running): Promise<void> {
  history.length = 0
  await reset(pair)
}

async function both({ pair, trial }: Running, printed: Printed, turn: number, path: Path = 'compiled') {
  return Promise.all([pair.a.run(trial.principal, printed, turn), pair.b.run(trial.principal, printed, turn, path)])
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
  return errors?.some(({ extensions }) => ['INTERNAL', 'UNAVAILABLE'].includes(extensions?.code ?? '')) ?? false
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
  const { trial, history } = running
  const view = await differingView(running)
  if (!view) return
  trial.counts.differences += 1
  if (trial.findings.length < kept) trial.findings.push(await reduceHistory(running, [...history], view))
  await startAnew(running)
}

type View = { tree: OperationTree; a: string; b: string }

async function differingView(running: Running): Promise<View | null> {
  for (const tree of running.views) {
    const [a, b] = await both(running, print(tree), running.turn)
    if (a !== b) return { tree, a, b }
  }
  return null
}

/** The one mutation that makes the views differ, if one does it alone. */
async function reduceHistory(running: Running, history: readonly OperationTree[], view: View): Promise<Finding> {
  const viewAfter = async (tree: OperationTree) => {
    await startAnew(running)
    await both(running, print(tree), running.turn)
    return differingView(running)
  }
  for (const tree of history) {
    if (!(await viewAfter(tree))) continue
    const smallest = await shrink(tree, async (smaller) => (await viewAfter(smaller)) !== null)
    return { ...print(smallest), what: 'view', ...((await viewAfter(smallest)) ?? view) }
  }
  return { ...print(view.tree), what: 'view', a: view.a, b: view.b }
}

/** The operation by itself, on the databases as they were, if it still tells; and as little of it as does. */
async function reduce(running: Running, what: 'answer' | 'path', tree: OperationTree, a: string, b: string) {
  const { pair, turn, trial, pathsOnly } = running
  const isQuery = tree.kind === 'query'
  const answers = async (smaller: OperationTree) => {
    const printed = print(smaller)
    if (!isQuery) await reset(pair)
    const onA = (path: Path) => pair.a.run(trial.principal, printed, turn, path)
    if (what === 'path' && isQuery) return [await onA('compiled'), await onA('ordinary')] as const
    return both(running, printed, turn, isQuery && !pathsOnly ? 'compiled' : 'ordinary')
  }
  const smallest = await shrink(tree, async (smaller) => {
    const [one, other] = await answers(smaller)
    return one !== other
  })
  const [one, other] = await answers(smallest)
  // What does not happen again is told as it happened.
  return one === other ? { ...print(tree), what, a, b } : { ...print(smallest), what, a: one, b: other }
}
