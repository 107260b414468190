/** What a load notices of something that goes on beside it. */
import type { Load, Measured } from './load.ts'
import type { Part } from './parts.ts'
import { median, percentile, round, say } from './say.ts'

type Rounds = { rounds: number; seconds: number }

/** Begins what goes on beside the load; what it answers ends it. */
type Disturb = () => Promise<() => Promise<unknown>>

const p99 = (latencies: readonly number[]) => percentile(latencies, 0.99)

/**
 * The p99 of a load beside something, over that of the load alone: the median of some rounds. In a round both are measured in
 * slices of a second, by turns, so that whatever else the machine does meets both alike; `seconds` of each are judged together.
 */
export async function compareBeside(
  part: Part,
  job: Omit<Load, 'seconds'>,
  { rounds, seconds }: Rounds,
  disturb: Disturb,
): Promise<{ ratio: number; failures: string[] }> {
  const slice = { ...job, seconds: Math.min(1, seconds) }
  const failures: string[] = []
  const measure = async (into: number[]) => {
    const measured = await part.ask<Measured>(slice)
    failures.push(...measured.failures)
    into.push(...measured.latencies)
  }
  const ratios: number[] = []
  await measure([])
  for (let i = 0; i < rounds; i++) {
    const [alone, beside]: [number[], number[]] = [[], []]
    for (let left = seconds; left > 0; left -= slice.seconds) {
      await measure(alone)
      const end = await disturb()
      await measure(beside)
      await end()
    }
    ratios.push(p99(beside) / p99(alone))
    say(`  ${told(alone)} alone, ${told(beside)} beside it, of ${beside.length} requests`)
  }
  return { ratio: median(ratios), failures }
}

function told(latencies: readonly number[]): string {
  return `p50 ${round(median(latencies))} and p99 ${round(p99(latencies))} ms`
}
