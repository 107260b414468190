import { catalogue } from '../../event.ts'
import { type Counter, counters } from '../../platform/meter.ts'
import '../catalogue.ts'

/** `COUNT` adds up over time; `STOCK` is how much there was when it was last looked at. */
export type Metric = { name: string; kind: 'COUNT' | 'STOCK'; description: string }

const descriptions: Record<Counter, string> = {
  requests: 'Operations over HTTP and WebSocket, by whomever it is known who asks, whatever came of them.',
  'bytes.in': 'Bytes of the bodies of requests and of messages from sockets.',
  'bytes.out': 'Bytes of the bodies of answers, and of messages to sockets and streams.',
  'documents.read': 'Reads of documents: one for each root field of a query.',
  'connections.opened': 'WebSockets and event streams that were opened.',
  'messages.sent': 'Results sent over WebSockets and event streams.',
  'jobs.run': 'Jobs that were run for the project: mails, runs of tasks, changes of its schema, each try of them.',
  'executions.run': 'Runs of functions, each try of them.',
  'executions.ms': 'Milliseconds that functions ran.',
}

/** Nouns of which one can say how many there are, each with the table that they are counted in. */
export const stocks = {
  attributes: 'attributes',
  collections: 'collections',
  databases: 'databases',
  deliveries: 'deliveries',
  deployments: 'deployments',
  domains: 'domains',
  executions: 'executions',
  functions: 'functions',
  indexes: 'indexes',
  jobs: 'job_attempts',
  keys: 'keys',
  mails: 'mails',
  members: 'members',
  runs: 'task_runs',
  senders: 'senders',
  sessions: 'sessions',
  tasks: 'tasks',
  users: 'users',
  variables: 'variables',
  versions: 'schema_versions',
  webhooks: 'webhooks',
} as const

const stock = (name: string, description: string): Metric => ({ name, kind: 'STOCK', description })

/** Everything that is counted, by its name. What happens is counted by the names of its events. */
export const metrics: ReadonlyMap<string, Metric> = new Map(
  [
    ...counters.map((name): Metric => ({ name, kind: 'COUNT', description: descriptions[name] })),
    ...[...catalogue.values()].map(({ name }): Metric => {
      return { name, kind: 'COUNT', description: `Events \`${name}\`: exact, from the event log.` }
    }),
    stock('documents.stored', 'How many documents there are: exact in small collections, an estimate in large ones.'),
    stock('storage.bytes', 'Bytes that documents and their indexes take up.'),
    ...Object.keys(stocks).map((noun) => stock(`${noun}.stored`, `How many ${noun} there are.`)),
  ].map((metric) => [metric.name, metric]),
)
