import { setTimeout as sleep } from 'node:timers/promises'
import type { Seen } from '../api.ts'
import { round, say } from '../say.ts'
import type { Client } from './clients.ts'
import { type Faults, judge, numbers, type Step, settle, writeAtRate } from './measure.ts'
import { everybody, type Stage } from './stage.ts'
import { categoryOf, listeners, plainOnes, spread } from './subscribers.ts'

const bar = { p99Ms: 250 }

export type Best = { deliveriesPerSecond: number; p99Ms: number; perSecond: number }

/** Raises the rate until too much comes too late, twice; the best that did not. `faults` gets what was wrong on the way. */
export async function raise(
  from: number,
  step: (perSecond: number) => Promise<Step>,
  faults: Faults,
  once: boolean,
): Promise<Best> {
  let best: Best | null = null
  let failed = 0
  for (let perSecond = from, tries = 0; tries < 14 && failed < 2; tries++) {
    const { deliveriesPerSecond, p99Ms, isLevel, faults: found } = await step(perSecond)
    add(faults, found)
    const isGood = p99Ms <= bar.p99Ms && isLevel
    if (isGood && deliveriesPerSecond > (best?.deliveriesPerSecond ?? 0))
      best = { deliveriesPerSecond, p99Ms, perSecond }
    if (once) break
    failed = isGood || !best ? 0 : failed + 1
    if (isGood) perSecond *= 1.4
    else if (!best) perSecond /= 2
  }
  return best ?? { deliveriesPerSecond: 0, p99Ms: 0, perSecond: from }
}

export function add(faults: Faults, more: Faults): void {
  faults.lost += more.lost
  faults.forbidden += more.forbidden
  faults.disordered += more.disordered
  faults.errors.push(...more.errors)
}

/** Subscribes, and waits until each subscription gets what is written in one of these categories. */
export async function subscribe(stage: Stage, clients: readonly Client[], categories = ['news']): Promise<void> {
  const count = clients.reduce((sum, { subscriptions }) => sum + (subscriptions?.length ?? 0), 0)
  await stage.clients({ do: 'open', url: stage.projectUrl, clients })
  for (let tries = 0; tries < 20; tries += 1) {
    await stage.clients({ do: 'reset' })
    await stage.write(
      numbers(categories.length).map((number, i) => ({ number, owner: everybody, category: categories[i] ?? '' })),
    )
    if ((await settle(stage, count, 1_000)).deliveries === count) return
  }
  throw new Error('Not everybody could subscribe.')
}

/** A step of the bare broadcast. Its bytes are what one of ours is sent. */
export async function broadcast(stage: Stage, count: number, perSecond: number, seconds: number): Promise<Step> {
  const clients = listeners(count)
  await stage.clients({ do: 'reset' })
  const begun = performance.now()
  const { sent } = await stage.bare.ask<{ sent: number }>({ message, perSecond, seconds, from: 1 })
  const took = (performance.now() - begun) / 1_000
  const report = await settle(stage, sent * clients.length)
  const written = Array.from({ length: sent }, (_, i) => ({ number: i + 1, owner: everybody }))
  return { ...judge(clients, written, report), deliveriesPerSecond: report.deliveries / took }
}

const cursor = `3yz.${'x'.repeat(16)}.${'y'.repeat(43)}`
const node = `{"id":"${'i'.repeat(36)}","title":"TITLE","body":"Lorem ipsum dolor sit amet, consetetur sadipscing.","views":12345}`
const message = `{"id":"subscription-0","type":"next","payload":{"data":{"postChanged":{"cursor":"${cursor}","kind":"CREATED","node":${node}}}}}`

/** The time of the node for each event that ten of so many subscriptions, spread over a tenth as many filters, are given. */
export async function costPerEvent(stage: Stage, count: number, seconds: number, faults: Faults): Promise<number> {
  const filters = count / 10
  const categories = Array.from({ length: filters }, (_, i) => categoryOf(i))
  await subscribe(stage, spread(stage, count, filters), categories)
  await stage.clients({ do: 'reset' })
  await stage.api.ask<Seen>('look')
  const perSecond = 100
  const all = Math.max(20, Math.round(perSecond * seconds))
  for (let made = 0; made < all; made += 10) {
    const documents = numbers(10).map((number) => ({
      number,
      owner: everybody,
      category: categoryOf(number % filters),
    }))
    await stage.write(documents)
    await sleep(10_000 / perSecond)
  }
  const report = await settle(stage, all * 10)
  const { activeMs } = await stage.api.ask<Seen>('look')
  add(faults, { ...report, lost: Math.max(0, all * 10 - report.deliveries) })
  await stage.clients({ do: 'forget' })
  return activeMs / all
}

export type Idle = { kb: number; stormLost: number; stormQueries: number; stormMs: number }

/** So many sockets that wait: what they weigh; then all lose their connection while things happen, and come back at once. */
export async function idleAndStorm(stage: Stage, count: number, missed: number, faults: Faults): Promise<Idle> {
  await stage.restart()
  const warm = plainOnes(stage, Math.min(200, count))
  await subscribe(stage, warm)
  await stage.clients({ do: 'forget' })
  await stage.api.ask('weigh')
  const before = await stage.api.ask<Seen>('look')
  const clients = plainOnes(stage, count)
  await subscribe(stage, clients)
  await stage.api.ask('weigh')
  const after = await stage.api.ask<Seen>('look')
  await stage.clients({ do: 'leave' })
  const documents = numbers(missed).map((number) => ({ number, owner: everybody }))
  for (let i = 0; i < missed; i += 50) await stage.write(documents.slice(i, i + 50))
  await stage.clients({ do: 'reset' })
  await stage.api.ask<Seen>('look')
  const begun = performance.now()
  await stage.clients({ do: 'resume' })
  const report = await settle(stage, count * missed)
  const stormMs = performance.now() - begun
  const { queries } = await stage.api.ask<Seen>('look')
  const { faults: found } = judge(clients, documents, report)
  add(faults, { ...found, lost: 0 })
  await stage.clients({ do: 'forget' })
  const kb = ((after.rssMb - before.rssMb) * 1024) / count
  say(`  the storm of ${count} was over after ${round(stormMs / 1_000)} s and took ${queries} queries`)
  return { kb, stormLost: found.lost, stormQueries: queries, stormMs }
}

export { writeAtRate }
