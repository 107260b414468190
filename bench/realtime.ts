/**
 * `npm run bench:realtime`: how many deliveries a second one node makes to 1,000 subscribers of 200 principals, whose rows
 * are read by everybody or by one of them, beside a bare `ws` broadcast of the same bytes; what an event costs among 10,000
 * subscriptions, what 5,000 idle sockets weigh, how soon a change is there, and what a reconnect of all takes. Changes are
 * made by the API's own mutations, and go through outbox, relay, Redis, tail and fan-out.
 */
import { type Options, type Outcome, runBenchmark } from './options.ts'
import { type Best, broadcast, costPerEvent, idleAndStorm, raise, subscribe, writeAtRate } from './realtime/cases.ts'
import type { Faults } from './realtime/measure.ts'
import { everybody, prepareStage, type Stage } from './realtime/stage.ts'
import { listeners, oneEach } from './realtime/subscribers.ts'
import { median, round, say } from './say.ts'

const usage = 'npm run bench:realtime -- [--json] [--quick] [--rounds 5] [--seconds 2] [--planted-bug ignore-roles]'

type Sizes = { principals: number; subscribers: number; spread: number; idle: number; missed: number; rate: number }

const sizes: Sizes = { principals: 200, subscribers: 1_000, spread: 10_000, idle: 5_000, missed: 200, rate: 20 }
const quickSizes: Sizes = { principals: 10, subscribers: 40, spread: 1_000, idle: 50, missed: 20, rate: 20 }

type Rounds = Record<'mixed' | 'open' | 'bare', Best[]>

/** One after the other in each round: rows of everybody and of one, rows of everybody alone, and the bare broadcast. */
async function measureRounds(stage: Stage, size: Sizes, options: Options, faults: Faults): Promise<Rounds> {
  const { rounds, seconds, quick } = options
  const clients = oneEach(stage, size.subscribers)
  const ownerOf = (number: number) => (number % 2 === 0 ? everybody : (number >> 1) % size.principals)
  const found: Rounds = { mixed: [], open: [], bare: [] }
  const from = (name: keyof Rounds) => (found[name].at(-1)?.perSecond ?? size.rate) * (found[name].length > 0 ? 0.7 : 1)
  const during = async (name: keyof Rounds, url: string, step: Parameters<typeof raise>[1]) => {
    if (name === 'bare') await stage.clients({ do: 'open', url, clients: listeners(size.subscribers) })
    else await subscribe(stage, clients)
    const best = await raise(from(name), step, faults, quick)
    found[name].push(best)
    await stage.clients({ do: 'forget' })
  }
  for (let i = 0; i < rounds; i++) {
    const write = (owner: typeof ownerOf) => (perSecond: number) =>
      writeAtRate(stage, clients, { perSecond, seconds }, owner)
    await during('mixed', stage.projectUrl, write(ownerOf))
    await during(
      'open',
      stage.projectUrl,
      write(() => everybody),
    )
    await during('bare', stage.bare.told.url, (perSecond) => broadcast(stage, size.subscribers, perSecond, seconds))
    const told = (['mixed', 'open', 'bare'] as const).map((name) =>
      round(found[name].at(-1)?.deliveriesPerSecond ?? 0, 0),
    )
    say(`  ${told[0]} deliveries/s authorized, ${told[1]} where all is public, ${told[2]} of a bare ws`)
  }
  return found
}

/** From a write until its one reader has it five times, at 200 writes a second. */
async function measureDelay(stage: Stage, size: Sizes, { seconds, quick }: Options, faults: Faults) {
  const clients = oneEach(stage, size.subscribers)
  await subscribe(stage, clients)
  const perSecond = quick ? 50 : 200
  const step = await writeAtRate(
    stage,
    clients,
    { perSecond, seconds: seconds * 2 },
    (number) => number % size.principals,
  )
  await stage.clients({ do: 'forget' })
  Object.assign(faults, { lost: faults.lost + step.faults.lost, forbidden: faults.forbidden + step.faults.forbidden })
  say(`from write to client at ${perSecond} writes/s: p50 ${step.p50Ms} ms, p99 ${step.p99Ms} ms`)
  return step
}

async function measure(stage: Stage, options: Options): Promise<Outcome> {
  const size = options.quick ? quickSizes : sizes
  const faults: Faults = { lost: 0, forbidden: 0, disordered: 0, errors: [] }
  const { mixed, open, bare } = await measureRounds(stage, size, options, faults)
  const delay = await measureDelay(stage, size, options, faults)
  const few = await costPerEvent(stage, size.spread / 10, options.seconds, faults)
  const many = await costPerEvent(stage, size.spread, options.seconds, faults)
  say(
    `an event that 10 subscriptions get costs ${round(few)} ms among ${size.spread / 10}, ${round(many)} ms among ${size.spread}`,
  )
  const idle = await idleAndStorm(stage, size.idle, size.missed, faults)
  say(`${size.idle} idle sockets weigh ${round(idle.kb, 1)} kB each`)
  const per = (all: readonly Best[]) => all.map(({ deliveriesPerSecond }) => deliveriesPerSecond)
  const figures = {
    deliveriesPerSecond: round(median(per(mixed)), 0),
    publicDeliveriesPerSecond: round(median(per(open)), 0),
    ratioToBareWs: round(median(per(open).map((rate, i) => rate / (per(bare)[i] || 1)))),
    lost: faults.lost,
    p99Ms: round(median(mixed.map(({ p99Ms }) => p99Ms)), 1),
    msPerEventAt10k: round(many, 3),
    idleSocketKb: round(idle.kb, 1),
    commitToClientP50Ms: delay.p50Ms,
    commitToClientP99Ms: delay.p99Ms,
    stormLost: idle.stormLost,
    stormQueries: idle.stormQueries,
  }
  return { figures, broken: brokenBy(faults, idle.stormLost) }
}

function brokenBy({ lost, forbidden, disordered, errors }: Faults, stormLost: number): string[] {
  const broken = [
    lost > 0 && `${lost} deliveries were lost.`,
    stormLost > 0 && `${stormLost} deliveries were lost when all came back at once.`,
    forbidden > 0 && `${forbidden} deliveries were of rows that their subscriber may not read.`,
    disordered > 0 && `${disordered} deliveries came out of order, or twice.`,
    errors[0] !== undefined && `A subscriber was told: ${errors[0]}`,
  ]
  return broken.filter((line) => line !== false)
}

async function run(options: Options): Promise<Outcome> {
  const stage = await prepareStage((options.quick ? quickSizes : sizes).principals, options.plantedBug)
  try {
    return await measure(stage, options)
  } finally {
    await stage.close()
  }
}

await runBenchmark(usage, { rounds: 5, seconds: 2, bugs: ['ignore-roles'] }, run)
