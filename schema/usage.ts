import { metrics } from '../src/modules/usage/metrics.ts'
import { type ProjectUsage, type Range, ranges, type Series, usageOf } from '../src/modules/usage/usage.ts'
import { builder } from './builder.ts'

const enumValueOf = (name: string) => name.toUpperCase().replace(/[.-]/g, '_')

const UsageRange = builder.enumType('UsageRange', {
  description: 'How far back, and in which steps (UTC).',
  values: Object.fromEntries(
    Object.entries(ranges).map(([name, { description }]) => [name, { value: name as Range, description }]),
  ) as { [Name in Range]: { value: Name; description: string } },
})

const UsageMetric = builder.enumType('UsageMetric', {
  description: 'What is counted or measured.',
  values: Object.fromEntries(
    [...metrics.values()].map(({ name, description }) => [enumValueOf(name), { value: name, description }]),
  ),
})

const UsagePoint = builder.objectRef<Series['points'][number]>('UsagePoint').implement({
  description: 'One hour, or one day.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it begins.' }),
    value: t.exposeFloat('value', {
      description: 'How many there were in it; of what is measured, how many there were when it was last looked at.',
    }),
  }),
})

const UsageSeries = builder.objectRef<Series>('UsageSeries').implement({
  description: 'One thing that is counted or measured, over time.',
  fields: (t) => ({
    metric: t.field({
      type: UsageMetric,
      description: 'What is counted or measured.',
      resolve: ({ metric }) => metric.name,
    }),
    total: t.exposeFloat('total', { description: 'All of the range together; of what is measured, the newest value.' }),
    points: t.expose('points', { type: [UsagePoint], description: 'Every step of the range, oldest first.' }),
  }),
})

export const Usage = builder.objectRef<ProjectUsage>('Usage').implement({
  description: 'How much a project has used.',
  fields: (t) => ({
    range: t.expose('range', { type: UsageRange, description: 'How far back, and in which steps.' }),
    from: t.expose('from', { type: 'DateTime', description: 'Where the first step begins.' }),
    series: t.expose('series', { type: [UsageSeries], description: 'One for each metric that was asked for.' }),
  }),
})

export const usageArgs = builder.args((t) => ({
  range: t.field({ type: UsageRange, defaultValue: 'D30', description: 'How far back, and in which steps.' }),
  metrics: t.field({ type: [UsageMetric], description: 'Only these; everything, if left out.' }),
}))

builder.queryField('usage', (t) =>
  t.field({
    type: Usage,
    access: { audience: ['console', 'server'], scope: 'usage.read' },
    description: 'How much the project has used. Counts are there within seconds, measures within minutes.',
    args: usageArgs,
    resolve: (_root, { range, metrics }, ctx) => usageOf(ctx, range ?? 'D30', metrics ?? null),
  }),
)
