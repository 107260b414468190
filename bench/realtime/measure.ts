import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Report } from './clients.ts'
import { atRate } from './rate.ts'
import { everybody, type Stage, type Written } from './stage.ts'

/** What is wrong with what came, summed up over a run. */
export type Faults = { lost: number; forbidden: number; disordered: number; errors: string[] }

export type Step = { deliveriesPerSecond: number; p50Ms: number; p99Ms: number; isLevel: boolean; faults: Faults }

let next = 1

/** Numbers grow through the whole run: who listens sees by them what comes too late, or again. */
export const numbers = (count: number): number[] => Array.from({ length: count }, () => next++)

/** Writes at a rate, until all that is due has come or nothing more does. */
export async function writeAtRate(
  stage: Stage,
  clients: readonly Client[],
  rate: { perSecond: number; seconds: number },
  ownerOf: (number: number) => number,
): Promise<Step> {
  await stage.clients({ do: 'reset' })
  const written: Written[] = []
  const begun = performance.now()
  await atRate(rate.perSecond, rate.seconds, async (due) => {
    const documents = numbers(due.length).map((number, i): Written => {
      return { number, owner: ownerOf(number), at: due[i] ?? 0 }
    })
    written.push(...documents)
    await stage.write(documents)
  })
  const seconds = (performance.now() - begun) / 1_000
  const report = await settle(stage, expectedBy(clients, written))
  return { ...judge(clients, written, report), deliveriesPerSecond: report.deliveries / seconds }
}

/** Waits until so many deliveries have come in all, or none have for a while. */
export async function settle(stage: Stage, expected: number, quietMs = 4_000): Promise<Report> {
  let report = await stage.clients({ do: 'report' })
  for (let quiet = 0, before = -1; report.deliveries < expected && quiet < quietMs / 50; ) {
    await sleep(50)
    before = report.deliveries
    report = await stage.clients({ do: 'report' })
    quiet = report.deliveries === before ? quiet + 1 : 0
  }
  return report
}

const isFor = ({ principal }: Client, { owner }: Written) => owner === everybody || owner === principal

export function expectedBy(clients: readonly Client[], written: readonly Written[]): number {
  return clients.reduce((sum, client) => sum + written.filter((one) => isFor(client, one)).length, 0)
}

/** Compares what each socket got with what it was to get. Who was cut for being slow comes back, and is not lost yet. */
export function judge(
  clients: readonly Client[],
  written: readonly Written[],
  report: Report,
): Omit<Step, 'deliveriesPerSecond'> {
  let lost = 0
  for (const [i, client] of clients.entries()) {
    const mine = written.filter((one) => isFor(client, one))
    const sum = mine.reduce((all, { number }) => all + number, 0)
    const missing = mine.length - (report.counts[i] ?? 0)
    lost += missing > 0 ? missing : missing === 0 && sum !== report.sums[i] ? 1 : 0
  }
  const { forbidden, disordered, errors, p50Ms, p99Ms, closed } = report
  return { p50Ms, p99Ms, isLevel: closed === 0, faults: { lost, forbidden, disordered, errors } }
}
