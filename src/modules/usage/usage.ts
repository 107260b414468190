import type { Context } from '../../context.ts'
import { Forbidden } from '../../errors.ts'
import { createInflux } from '../../platform/influx.ts'
import { isOperator } from '../operators/operators.ts'
import { type Metric, metrics } from './metrics.ts'

const hour = 3_600_000
const day = 24 * hour

/** How far back usage is told, and in which steps. */
export const ranges = {
  H24: { period: 'HOUR', stepMs: hour, steps: 24, description: 'The last 24 hours, by the hour.' },
  D7: { period: 'DAY', stepMs: day, steps: 7, description: 'The last 7 days, by the day.' },
  D30: { period: 'DAY', stepMs: day, steps: 30, description: 'The last 30 days, by the day.' },
  D90: { period: 'DAY', stepMs: day, steps: 90, description: 'The last 90 days, by the day.' },
} as const

export type Range = keyof typeof ranges

export type Series = {
  metric: Metric
  /** The sum of the points; of what is measured, the last one. */
  total: number
  points: { at: Date; value: number }[]
}

export type ProjectUsage = { range: Range; from: Date; series: Series[] }

type Point = { metric: string; at: Date; value: number }

/** What the project that is asked has used, for those who run it: each step of the range, oldest first, the current one last. */
export async function usageOf(ctx: Context, range: Range, names: readonly string[] | null): Promise<ProjectUsage> {
  if (!isOperator(ctx)) throw new Forbidden('You may not do this.')
  return readUsage(ctx, ctx.projectId, range, names)
}

/** The same of any project, for who has shown that it is theirs. */
export async function readUsage(
  ctx: Pick<Context, 'sql' | 'env' | 'clock'>,
  projectId: string,
  range: Range,
  names: readonly string[] | null,
): Promise<ProjectUsage> {
  const { period, stepMs, steps } = ranges[range]
  const last = Math.floor(ctx.clock().getTime() / stepMs) * stepMs
  const times = Array.from({ length: steps }, (_, i) => last - (steps - 1 - i) * stepMs)
  const from = new Date(times[0] ?? last)
  const wanted = [...metrics.values()].filter(({ name }) => names === null || names.includes(name))
  const question = { projectId, period, metrics: wanted, from }
  const points = ctx.env.INFLUXDB_URL
    ? await createInflux(ctx.env.INFLUXDB_URL).read(question)
    : await readPoints(ctx, question)
  const byMetric = Map.groupBy(points, ({ metric }) => metric)
  return { range, from, series: wanted.map((metric) => seriesOf(metric, times, byMetric.get(metric.name) ?? [])) }
}

async function readPoints(
  { sql }: Pick<Context, 'sql'>,
  { projectId, period, metrics, from }: { projectId: string; period: string; metrics: readonly Metric[]; from: Date },
): Promise<Point[]> {
  // What is measured stays what it was until it is measured again.
  const { rows } = await sql.query<{ metric: string; at: Date; value: string }>(
    `select metric, at, value from usage
     where "projectId" = $1 and period = $2::"UsagePeriod" and metric = any($3) and at >= $4
     union all
     (select distinct on (metric) metric, at, value from usage
      where "projectId" = $1 and period = $2::"UsagePeriod" and metric = any($5) and at < $4 order by metric, at desc)`,
    [projectId, period, metrics.map(({ name }) => name), from, metrics.filter(isStock).map(({ name }) => name)],
  )
  return rows.map(({ metric, at, value }) => ({ metric, at, value: Number(value) }))
}

const isStock = ({ kind }: Metric) => kind === 'STOCK'

function seriesOf(metric: Metric, times: readonly number[], points: readonly Point[]): Series {
  const values = new Map(points.map(({ at, value }) => [at.getTime(), value]))
  const [first = 0] = times
  let before = points.find(({ at }) => at.getTime() < first)?.value ?? 0
  const filled = times.map((time) => {
    const value = values.get(time) ?? (isStock(metric) ? before : 0)
    before = value
    return { at: new Date(time), value }
  })
  const sum = filled.reduce((total, { value }) => total + value, 0)
  return { metric, points: filled, total: isStock(metric) ? before : sum }
}
