import { Counter, Gauge, type Metric, Registry } from 'prom-client'
import { type Count, createCount } from './metrics/count.ts'
import { createTimes, type Times } from './metrics/times.ts'

export type { Times }

/** What is counted in this process. No label has a value that a caller chooses, nor the name of a project. */
export type Metrics = {
  registry: Registry
  /** HTTP requests, by what they were for and their status. */
  requests: Times
  /** GraphQL operations on every transport, by their kind, who ran them and how they ended. */
  operations: Times
  /** Runs of jobs, by name and outcome. */
  jobs: Times
  /** Runs of functions, by why they were run, how they ended, and whether they were warm. */
  runs: Times
  /** Answers of functions that decide on a change, by outcome. */
  hooks: Times
  /** Errors that callers were told, by code. */
  errors: Counter<'code'>
  /** Results that subscriptions have sent. */
  deliveries: Count
  subscriptions: Count
  /** Reads a number, or one for each value of a label, when somebody asks. A second reader of a name replaces the first. */
  read: (name: string, help: string, read: Reading, label?: string) => void
}

type Numbers = number | ReadonlyMap<string, number>
type Reading = () => Numbers | Promise<Numbers>

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const times = (name: string, help: string, labels: readonly string[]) => {
    const made = createTimes(name, help, labels)
    registry.registerMetric(made.metric as unknown as Metric)
    return made
  }
  const count = (...of: Parameters<typeof createCount>) => {
    const made = createCount(...of)
    registry.registerMetric(made.metric as unknown as Metric)
    return made
  }
  const read: Metrics['read'] = (name, help, reading, label) => {
    registry.removeSingleMetric(name)
    new Gauge({
      name,
      help,
      registers,
      labelNames: label ? [label] : [],
      async collect() {
        this.reset()
        // What cannot be read right now is not known, and the rest is told.
        const unknown = () => (label ? new Map<string, number>() : Number.NaN)
        const numbers = await Promise.resolve().then(reading).catch(unknown)
        if (typeof numbers === 'number') return this.set(numbers)
        for (const [value, number] of numbers) this.set({ [label ?? '']: value }, number)
      },
    })
  }
  return {
    registry,
    requests: times('tendril_http_request_duration_seconds', 'Durations of HTTP requests.', ['route', 'status']),
    operations: times('tendril_graphql_operation_duration_seconds', 'Durations of GraphQL operations.', [
      'operation',
      'path',
      'code',
    ]),
    jobs: times('tendril_job_duration_seconds', 'Durations of runs of jobs.', ['job', 'outcome']),
    runs: times('tendril_function_run_duration_seconds', 'Durations of runs of functions.', [
      'trigger',
      'outcome',
      'start',
    ]),
    hooks: times('tendril_hook_duration_seconds', 'How long changes have waited for functions that decide on them.', [
      'outcome',
    ]),
    errors: new Counter({
      name: 'tendril_graphql_errors_total',
      help: 'Errors in answers.',
      labelNames: ['code'],
      registers,
    }),
    deliveries: count('counter', 'tendril_subscription_results_total', 'Results sent by subscriptions.'),
    subscriptions: count('gauge', 'tendril_subscriptions', 'Subscriptions that run.'),
    read,
  }
}
