/** A run: bursts of changes, judged at the quiet moment after each, and rights that change between and during them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../feed.ts'
import { type Random, randomOf } from '../fuzz/random.ts'
import { type Change, makeBurst, write } from './burst.ts'
import { marker, names, types } from './collections.ts'
import { type Evidence, judge, type Verdict } from './judge.ts'
import { type Listener, listen } from './listener.ts'
import { createRights, type Flip, type Rights } from './rights.ts'
import { createStage, type Stage } from './stage.ts'
import { makeSubscription, type Subscription } from './subscriptions.ts'
import { type Rows, readAll, readViews } from './views.ts'

export type Options = {
  seed: number
  deliveries: number
  subscriptions: number
  stopAtFirst: boolean
  signal: AbortSignal
  say: (line: string) => void
}

export type Result = {
  deliveries: number
  extra: number
  missing: number
  seed: number
  bursts: number
  flips: number
  flipsDuringBursts: number
  resumes: number
  subscriptions: number
  /** Deliveries by their kinds, and changes that were not to be told to a subscription. */
  kinds: Record<string, number>
  withheld: number
}

type Run = Options & {
  stage: Stage
  rights: Rights
  random: Random
  listeners: Listener[]
  result: Result
  /** What the query path says now, of everything and of each subscription; null when it has to be asked. */
  now: Moment | null
}

type Moment = { all: Awaited<ReturnType<typeof readAll>>; views: Rows[] }

const mostFindingsSaid = 5

export async function fuzz(options: Options): Promise<Result> {
  const { seed, deliveries, say, signal } = options
  const stage = await createStage(say)
  const random = randomOf(seed)
  const counts = { deliveries: 0, extra: 0, missing: 0, seed, bursts: 0, flips: 0, flipsDuringBursts: 0, resumes: 0 }
  const result: Result = { ...counts, subscriptions: 0, kinds: {}, withheld: 0 }
  const run: Run = { ...options, stage, rights: createRights(stage), random, listeners: [], result, now: null }
  const isOver = () => result.deliveries >= deliveries || (options.stopAtFirst && result.extra + result.missing > 0)
  try {
    await createMarkers(stage)
    while (run.listeners.length < options.subscriptions) addListener(run)
    await settle(run)
    for (let quiet = 0, before = -1; !isOver(); ) {
      signal.throwIfAborted()
      await round(run)
      quiet = result.deliveries === before ? quiet + 1 : 0
      before = result.deliveries
      if (quiet > 20) throw new Error('Nothing is delivered.')
      if (result.bursts % 20 === 0)
        say(`${result.deliveries} deliveries, ${result.bursts} bursts, ${result.flips} flips`)
    }
    return result
  } finally {
    await Promise.all(run.listeners.map((listener) => listener.stop()))
    await stage.close()
  }
}

async function createMarkers({ ask, key }: Stage): Promise<void> {
  for (const name of names) {
    const { type } = types[name]
    const query = `mutation { create${type}(input: { id: "${marker}", title: "${marker}", views: 1000 }) { id } }`
    await ask(key, query)
  }
}

/** Callers take turns, so that all are there however few there are. */
function addListener({ stage, random, listeners, result }: Run, at = listeners.length): void {
  const principal = stage.principals[at % stage.principals.length]
  if (!principal) throw new Error('There are no principals.')
  listeners[at] = listen(stage.url, makeSubscription(random, principal))
  result.subscriptions += 1
}

async function round(run: Run): Promise<void> {
  const { random, rights, result } = run
  if (random.chance(0.15)) await replace(run)
  if (random.chance(0.25)) return burstWithFlip(run, rights.flip(random))
  if (random.chance(0.6)) {
    await rights.flip(random).apply()
    result.flips += 1
    await settle(run)
    run.now = null
  }
  const before = run.now ?? (await look(run))
  await burst(run, nextBurst(run, before))
  const after = await look(run)
  judgeAll(run, [[before, after]], [mayReadNow(run)])
  run.now = after
}

/** Rights change while documents do: either rights may decide, and both are asked about both moments. */
async function burstWithFlip(run: Run, flip: Flip): Promise<void> {
  const { result, random } = run
  const turn = async (to: () => Promise<void>) => {
    await to()
    await settle(run)
    return look(run)
  }
  const oldBefore = run.now ?? (await look(run))
  const newBefore = await turn(flip.apply)
  const newFields = mayReadNow(run)
  await turn(flip.undo)
  const oldFields = mayReadNow(run)
  const changes = nextBurst(run, oldBefore)
  const early = random.below(changes.length + 1)
  await Promise.all([burst(run, changes), sleep(early * 2).then(flip.apply)])
  await settle(run)
  const newAfter = await look(run)
  const oldAfter = await turn(flip.undo)
  judgeAll(
    run,
    [
      [oldBefore, oldAfter],
      [newBefore, newAfter],
    ],
    [oldFields, newFields],
  )
  result.flipsDuringBursts += 1
  run.now = oldAfter
}

function nextBurst({ random }: Run, { all }: Moment): Change[] {
  return makeBurst({ random, collection: random.pick([...names, 'posts', 'posts']), rows: all })
}

/** Some are cut off while it lasts, or before, and come back when it is over or before. */
async function burst(run: Run, changes: readonly Change[]): Promise<void> {
  const { stage, random, listeners, result } = run
  const cut = listeners.filter(() => random.chance(0.2))
  const cuts = cut.map(async (listener) => {
    await sleep(random.below(40))
    listener.cut(random.below(150))
  })
  await Promise.all([write(stage, changes), ...cuts])
  result.resumes += cut.length
  result.bursts += 1
  await settle(run)
}

async function replace(run: Run): Promise<void> {
  for (const [i, listener] of run.listeners.entries()) {
    if (!run.random.chance(0.2)) continue
    await listener.stop()
    addListener(run, i)
  }
  await settle(run)
  run.now = null
}

/** All that is written has come when the marker has, which is written last, and again for those who were away. */
async function settle({ stage, listeners }: Run): Promise<void> {
  const { ask, key } = stage
  const touch = async () => {
    const all = names.map(async (name) => {
      const { one, type } = types[name]
      const data = await ask(
        key,
        `mutation { update${type}(input: { id: "${marker}", views: ${Date.now() % 1e9} }) { version } }`,
      )
      const changed = data[`update${type}`] as { version: number } | undefined
      if (!changed) throw new Error(`The marker of ${one} was not written.`)
      return [name, changed.version] as const
    })
    return new Map(await Promise.all(all))
  }
  const wanted = await touch()
  const isLevel = ({ subscription, seen }: Listener) => seen() >= (wanted.get(subscription.collection) ?? 0)
  for (let tries = 0; tries < 15; tries += 1) {
    const level = () => listeners.every(isLevel)
    if (
      await until(level, () => '', 1_000).then(
        () => true,
        () => false,
      )
    )
      return
    await touch()
  }
  const late = listeners.filter((one) => !isLevel(one)).map(({ subscription, faults }) => [subscription, faults])
  throw new Error(`Not everybody is told of the marker: ${JSON.stringify(late.slice(0, 3))}`)
}

async function look({ stage, listeners }: Run): Promise<Moment> {
  const subscriptions = listeners.map(({ subscription }) => subscription)
  return { all: await readAll(stage), views: await readViews(stage, subscriptions) }
}

/** Which restricted fields each may read, for later. */
function mayReadNow({ rights, listeners }: Run): (subscription: Subscription, field: string) => boolean {
  const held = new Set<string>()
  const name = ({ principal, collection }: Subscription, field: string) => `${principal.name} ${collection}.${field}`
  for (const { subscription } of listeners)
    for (const field of ['note', 'editor'])
      if (mayRead(rights, subscription, field)) held.add(name(subscription, field))
  return (subscription, field) => held.has(name(subscription, field))
}

function mayRead(rights: Rights, { principal, collection }: Subscription, field: string): boolean {
  if (principal.kind === 'user') return rights.mayReadField(principal.name, collection, field)
  return principal.kind === 'key'
}

/** `moments`: before and after, for each of the rights. */
function judgeAll(
  run: Run,
  moments: readonly (readonly [Moment, Moment])[],
  fields: readonly ReturnType<typeof mayReadNow>[],
): void {
  const [old] = moments
  if (!old) throw new Error('There is nothing to judge by.')
  for (const [i, { subscription, deliveries, faults }] of run.listeners.entries()) {
    const { collection } = subscription
    const evidence: Evidence = {
      all: { before: old[0].all[collection], after: old[1].all[collection] },
      views: moments.map(([before, after]) => ({ before: viewOf(before, i), after: viewOf(after, i) })),
      mayReadField: (field) => fields.some((may) => may(subscription, field)),
    }
    const verdict = judge(subscription, evidence, deliveries.splice(0))
    note(run, subscription, { ...verdict, extra: [...verdict.extra, ...faults.splice(0)] })
  }
}

function viewOf({ views }: Moment, i: number): Rows {
  const view = views[i]
  if (!view) throw new Error('A subscription was not looked at.')
  return view
}

function note(
  { result, say, rights }: Run,
  { principal, transport, where, operation }: Subscription,
  { kinds, withheld, extra, missing }: Verdict,
): void {
  const before = result.extra + result.missing
  for (const kind of kinds) result.kinds[kind] = (result.kinds[kind] ?? 0) + 1
  result.deliveries += kinds.length
  result.withheld += withheld
  result.extra += extra.length
  result.missing += missing.length
  if (before >= mostFindingsSaid || extra.length + missing.length === 0) return
  say(`${principal.name} over ${transport}, where ${JSON.stringify(where)}: ${operation}`)
  for (const one of extra.slice(0, 3)) say(`  extra, ${one}`)
  for (const one of missing.slice(0, 3)) say(`  missing ${one}`)
  say(`  rights: ${rights.describe()}`)
}

/** Why a run that found nothing says nothing. */
export function weaknesses({ kinds, withheld, resumes, flips, flipsDuringBursts }: Result): string[] {
  const absent = ['CREATED', 'UPDATED', 'ENTERED', 'LEFT', 'DELETED'].filter((kind) => !kinds[kind])
  return [
    ...absent.map((kind) => `nothing was ${kind}`),
    ...(withheld === 0 ? ['everybody was told everything'] : []),
    ...(resumes === 0 ? ['nobody came back'] : []),
    ...(flips + flipsDuringBursts === 0 ? ['no rights changed'] : []),
  ]
}
