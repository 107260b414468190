/** What a load notices of something that goes on beside it. */
import type { Load, Measured } from './load.ts'
import type { Part } from './parts.ts'
import { median, percentile, round, say } from './say.ts'

type Rounds = { rounds: number; seconds: number }

/** Begins what goes on beside the load; what it answers ends it. */
type Disturb = () => Promise<() => Promise<unknown>>

const p99 = (latencies: readonly number[]) => percentile(latencies, 0.99)

/**
 * The p99 of a load beside each of these, over that of the load alone: the median of some rounds. In a round all are measured
 * in slices of a second, by turns, so that whatever else the machine does meets all alike; `seconds` of each are judged together.
 */
export async function compareBeside<Name extends string>(
  part: Part,
  job: Omit<Load, 'seconds'>,
  { rounds, seconds }: Rounds,
  disturbs: Readonly<Record<Name, Disturb>>,
): Promise<{ ratios: Record<Name, number>; failures: string[] }> {
  const slice = { ...job, seconds: Math.min(1, seconds) }
  const failures: string[] = []
  const measure = async (into: number[]) => {
    const measured = await part.ask<Measured>(slice)
    failures.push(...measured.failures)
    into.push(...measured.latencies)
  }
  const besides = (Object.entries(disturbs) as [Name, Disturb][]).map(([name, disturb]) => ({
    name,
    disturb,
    ratios: [] as number[],
  }))
  await measure([])
  for (let i = 0; i < rounds; i++) {
    const alone: number[] = []
    const these = besides.map((one) => ({ ...one, latencies: [] as number[] }))
    for (let left = seconds; left > 0; left -= slice.seconds) {
      await measure(alone)
      for (const { disturb, latencies } of these) {
        const end = await disturb()
        await measure(latencies)
        await end()
      }
    }
    say(`  ${told(alone)} alone, of ${alone.length} requests`)
    for (const { name, ratios, latencies } of these) {
      ratios.push(p99(latencies) / p99(alone))
      say(`  ${told(latencies)} beside ${name}`)
    }
  }
  const ratios = Object.fromEntries(besides.map(({ name, ratios }) => [name, median(ratios)])) as Record<Name, number>
  return { ratios, failures }
}

function told(latencies: readonly number[]): string {
  return `p50 ${round(median(latencies))} and p99 ${round(p99(latencies))} ms`
}
