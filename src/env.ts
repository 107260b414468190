import { z } from 'zod'
import { parseRedisServers } from './lib/redis-url.ts'
import { requirementOf } from './lib/requirement.ts'

const url = (...protocols: string[]) =>
  z.url({
    protocol: new RegExp(`^(${protocols.join('|')})$`),
    error: `must be a URL that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  })

const redisUrl = z
  .string()
  .refine((text) => url('redis', 'rediss').safeParse(text).success || parseRedisServers(text), {
    error:
      'must be redis://host:port, redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/master, or the same with rediss',
  })

const days = (initial: number) => z.coerce.number().int().min(1).max(3_650).default(initial)

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
)

/** A key ring: 32 bytes in base64 each, newest first. Old ones still open and verify what they wrote. */
const keyRing = list
  .transform((texts) => texts.map((text) => Buffer.from(text, 'base64')))
  .refine(
    (keys) => keys.length > 0 && keys.every((key) => key.length === 32),
    'must be one or more keys of 32 bytes in base64, separated by commas',
  )

const sockets = (most: number) => z.coerce.number().int().min(1).max(1_000_000).default(most)

/** Every variable that Tendril reads, with the sentence that `.env.example` and the documentation show. */
export const variables = {
  DATABASE_URL: url('postgres', 'postgresql').describe(
    'PostgreSQL, 15 or newer. `npm start` brings its own when this is not set.',
  ),
  DATABASE_REPLICA_URL: url('postgres', 'postgresql')
    .optional()
    .describe(
      'A standby of DATABASE_URL. Queries of documents go there while it is at most 5 s behind, but for those who have just written.',
    ),
  REDIS_URL: redisUrl.describe(
    'Redis, 7 or newer: `redis://host:port`, `redis+cluster://host:port,host:port` (some nodes of a cluster) or `redis+sentinel://host:port,host:port/master`; with `rediss` over TLS. `npm start` brings its own when this is not set. Its `maxmemory` bounds what is kept of answers; the policy `allkeys-lru` fits.',
  ),
  MONGODB_URL: url('mongodb', 'mongodb\\+srv')
    .optional()
    .describe('MongoDB, 6 or newer, for jobs. Without it they are kept in PostgreSQL.'),
  SECRET_KEYS: keyRing.describe(
    'Keys that sign and encrypt: 32 random bytes in base64 (`openssl rand -base64 32`), newest first, separated by commas.',
  ),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000).describe('Where HTTP and WebSocket are served.'),
  HOST: z.string().default('127.0.0.1').describe('The address to listen on; 0.0.0.0 for every network.'),
  PUBLIC_URL: url('http', 'https')
    .optional()
    .describe('Where people reach this server, for links in mails. The default is made of HOST and PORT.'),
  ALLOWED_ORIGINS: list
    .default([])
    .describe('Web origins, besides PUBLIC_URL, whose pages may use the API, separated by commas.'),
  TRUSTED_PROXIES: list
    .default([])
    .describe('Addresses of proxies (CIDR) whose X-Forwarded-For is believed, separated by commas.'),
  SOCKETS_PER_NODE: sockets(20_000).describe('Most WebSockets that one process holds open.'),
  SOCKETS_PER_PROJECT: sockets(10_000).describe('How many of them may be of one project.'),
  SOCKETS_PER_ADDRESS: sockets(1_000).describe('How many of them may come from one address: mind TRUSTED_PROXIES.'),
  DATA_DIR: z.string().default('.tendril').describe('Where `npm start` keeps its data.'),
  DATABASE_POOL: z.coerce
    .number()
    .int()
    .min(4)
    .max(500)
    .default(10)
    .describe(
      'Most PostgreSQL connections that one process opens for its work; one more is kept for health checks and revocations.',
    ),
  SMTP_URL: url('smtp', 'smtps').optional().describe('Where mails are sent. Without it they are only recorded.'),
  MAIL_FROM: z.string().default('Tendril <tendril@localhost>').describe('The sender of mails.'),
  EGRESS_ALLOW: list
    .default([])
    .describe(
      'Private addresses (CIDR) that webhooks and tasks may call, separated by commas. All others of that kind are refused.',
    ),
  EXECUTORS: list
    .default([])
    .refine(
      (urls) => urls.every((text) => url('http', 'https').safeParse(text).success),
      'must be URLs that begin with http:// or https://',
    )
    .describe(
      'Where functions are run: URLs of executors, separated by commas. `npm start` brings its own when this is not set; elsewhere functions do not run without it.',
    ),
  EXECUTOR_SECRET: z
    .string()
    .min(16, 'must have 16 characters or more')
    .optional()
    .describe(
      'What executors are to be told before they run anything: the same here and there. Needed with EXECUTORS.',
    ),
  TRUSTED_PROJECTS: list
    .default([])
    .describe(
      'Ids of projects whose functions may be trusted (`isTrusted`), which run faster and with a weaker wall around their memory; `*` for all.',
    ),
  ACME_EMAIL: z
    .email()
    .optional()
    .describe('Who the certificate authority may write to. With it, projects may have domains of their own.'),
  ACME_DIRECTORY_URL: url('https')
    .default('https://acme-v02.api.letsencrypt.org/directory')
    .describe('The certificate authority. Setting ACME_EMAIL agrees to its terms.'),
  DOMAINS_TARGET: z
    .string()
    .optional()
    .describe('The name or address that domains are to point at. The default is where PUBLIC_URL is.'),
  DNS_SERVERS: list
    .default([])
    .describe("DNS servers that domains are looked up with, separated by commas; the machine's own, if left out."),
  CERTIFICATES_DIR: z
    .string()
    .optional()
    .describe('Where the workers write certificates, and the file that tells Traefik of them. Without it, nowhere.'),
  STATSD_URL: url('udp')
    .optional()
    .describe('Where usage is handed on as StatsD, `udp://host:8125`: a Telegraf with deploy/telegraf/telegraf.conf.'),
  INFLUXDB_URL: url('http', 'https')
    .optional()
    .describe(
      'InfluxDB 1.x that Telegraf writes to, `http://host:8086/database`. Usage is read there; without it, in PostgreSQL.',
    ),
  OPERATORS: list
    .default([])
    .describe(
      'Addresses of those who run this installation, separated by commas. Whoever has proved such an address sees at /graphql the jobs that serve many projects at once.',
    ),
  KEEP_DELIVERIES_DAYS: days(14).describe('How long deliveries to webhooks are kept after their end.'),
  KEEP_RUNS_DAYS: days(14).describe('How long runs of tasks are kept after their end.'),
  KEEP_EXECUTIONS_DAYS: days(14).describe('How long executions of functions are kept after their end.'),
  KEEP_EXECUTIONS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(100_000_000)
    .default(100_000)
    .describe(
      'How many executions of a project are kept that were asked for by the API, at a URL or to decide; the oldest go sooner than in KEEP_EXECUTIONS_DAYS.',
    ),
  KEEP_MAILS_DAYS: days(30).describe('How long it is kept which mails were sent.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('The least important lines that are logged.'),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Where each process serves metrics for Prometheus at /metrics, for you alone. Without it, nowhere.'),
  METRICS_HOST: z.string().default('127.0.0.1').describe('The address of METRICS_PORT; one of a private network.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https')
    .optional()
    .describe('Where traces are sent, by OTLP over HTTP: http://collector:4318. Without it there are none.'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Which part of the traces that begin here is recorded, from 0 to 1.'),
  NODE_ENV: z.string().default('production').describe('`production` unless a test says otherwise.'),
} as const

const hasSecret = (env: { EXECUTORS: string[]; EXECUTOR_SECRET?: string | undefined }) =>
  env.EXECUTORS.length === 0 || env.EXECUTOR_SECRET !== undefined

const secretMissing = { path: ['EXECUTOR_SECRET'], message: 'is not set' }

const schema = z
  .object(variables)
  .refine(hasSecret, secretMissing)
  .transform((env) => ({
    ...env,
    PUBLIC_URL: env.PUBLIC_URL ?? `http://${env.HOST === '0.0.0.0' ? 'localhost' : env.HOST}:${env.PORT}`,
  }))

export type Env = z.output<typeof schema>

/**
 * The only reader of `process.env`. Throws one error that names every variable that is wrong.
 * An empty variable counts as not set, as compose files pass them.
 */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(given, { error: requirementOf })
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0])
    return `  ${name} ${given[name] === undefined ? 'is not set' : issue.message}`
  })
  throw new Error(`The environment is not usable:\n${lines.join('\n')}`)
}
