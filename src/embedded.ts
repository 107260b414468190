/** `npm start`: everything in one command. What DATABASE_URL, REDIS_URL or MONGODB_URL do not name is brought along. */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { startWorkers } from '../workers/start.ts'
import { startApi } from './api.ts'
import { type App, createApp } from './app.ts'
import { prepareDemo } from './embedded/demo.ts'
import { readSecretKeys } from './embedded/secret-keys.ts'
import { type Env, readEnv } from './env.ts'

import { serveMetrics } from './metrics.ts'
import { createInbox } from './platform/inbox.ts'
import { findUnusable } from './platform/reachable.ts'
import { createGraphql } from './server.ts'
import { freePort, requireFreePort } from './servers/ports.ts'
import { startPostgres } from './servers/postgres.ts'
import { startRedis } from './servers/redis.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)

/** What is open, in the order in which it was opened; closed in the reverse order. */
const opened: { name: string; close: () => Promise<void> }[] = []

async function closeAll(): Promise<void> {
  for (const { name, close } of opened.splice(0).reverse()) {
    await close().catch((error: Error) => say(`${name} did not stop cleanly: ${error.message}`))
  }
}

/** Says what is being done when it takes more than a second. */
async function progress<T>(doing: string, work: Promise<T>): Promise<T> {
  const started = performance.now()
  const timer = setInterval(() => say(`${doing} … ${Math.round((performance.now() - started) / 1000)} s`), 1_000)
  return work.finally(() => clearInterval(timer))
}

/** Everything that can be wrong is told before anything is started. */
async function check(): Promise<Env> {
  const given = process.env
  const placeholder = {
    DATABASE_URL: 'postgresql://embedded',
    REDIS_URL: 'redis://embedded',
    SECRET_KEYS: Buffer.alloc(32).toString('base64'),
  }
  const env = readEnv({ ...placeholder, ...given })
  const unusable = await findUnusable({
    ...(given.DATABASE_URL && { DATABASE_URL: env.DATABASE_URL }),
    ...(given.REDIS_URL && { REDIS_URL: env.REDIS_URL }),
    ...(env.MONGODB_URL && { MONGODB_URL: env.MONGODB_URL }),
  })
  if (unusable.length > 0) throw new Error(unusable.join('\n'))
  await requireFreePort(env.PORT).catch((cause: unknown) => {
    throw new Error(`Something already listens on port ${env.PORT}; set PORT to another.`, { cause })
  })
  return env
}

/** Starts the servers that nobody named, and answers the environment with all of them in it. */
async function startServers(env: Env): Promise<Env> {
  const dir = resolve(env.DATA_DIR)
  const servers: Record<string, string> = {}
  if (!process.env.DATABASE_URL) {
    const work = startPostgres({ dir: resolve(dir, 'postgres'), onProgress: say })
    const postgres = await progress('Starting PostgreSQL', work)
    opened.push({ name: 'PostgreSQL', close: postgres.stop })
    servers.DATABASE_URL = postgres.url
  }
  if (!process.env.REDIS_URL) {
    const redis = await progress('Starting Redis', startRedis({ dir: resolve(dir, 'redis') }))
    opened.push({ name: 'Redis', close: redis.stop })
    servers.REDIS_URL = redis.url
  }
  const SECRET_KEYS = process.env.SECRET_KEYS || (await readSecretKeys(dir))
  // On a laptop, the programs that webhooks and tasks call are on the laptop.
  const EGRESS_ALLOW = process.env.EGRESS_ALLOW ?? '127.0.0.0/8,::1/128'
  // The lines that follow are for a person; what goes wrong is still told.
  const LOG_LEVEL = process.env.LOG_LEVEL || 'warn'
  return readEnv({ ...process.env, ...servers, SECRET_KEYS, EGRESS_ALLOW, LOG_LEVEL })
}

type Executor = { port: number; secret: string }

/** Only where runtimes are named: many have DOCKER_HOST for other reasons, and all images are gigabytes. */
function dockerVariables(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!given.DOCKER_RUNTIMES) return {}
  return Object.fromEntries(Object.entries(given).filter(([name]) => /^(DOCKER|BUILD|RUNTIMES)_/.test(name)))
}

/** Other people's code runs in a process of its own, which is given no secret but the one to be asked with, and ends with this one. */
function startFunctionsRuntime({ port, secret }: Executor, apiUrl: string, env: Env): void {
  const path = resolve(import.meta.dirname, '../functions-runtime/main.ts')
  const child = fork(path, {
    execArgv: ['--no-node-snapshot'],
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      HOST: '127.0.0.1',
      EXECUTOR_SECRET: secret,
      TENDRIL_URL: apiUrl,
      EGRESS_ALLOW: env.EGRESS_ALLOW.join(','),
      NPM_REGISTRY: process.env.NPM_REGISTRY,
      ...dockerVariables(process.env),
    },
    // What it has to warn of is seen.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  opened.push({
    name: 'The functions runtime',
    close: async () => {
      child.kill('SIGTERM')
      await ended
    },
  })
}

async function startProcesses(env: Env, executor: Executor | null): Promise<App> {
  const app = await createApp(env, 'tendril')
  opened.push({ name: 'The connections', close: app.close })
  // Mails that no server takes are shown here, to whoever sits at this machine.
  const inbox = env.SMTP_URL ? undefined : createInbox()
  const workers = await startWorkers(app, { inbox })
  opened.push({ name: 'The workers', close: workers.stop })
  const api = await startApi(app, createGraphql(app), inbox)
  await serveMetrics(app)
  opened.push({ name: 'The API', close: api.close })
  if (executor) startFunctionsRuntime(executor, api.url, env)
  return app
}

async function start(): Promise<void> {
  const given = await startServers(await check())
  // Somebody else's are used where they are named.
  const executor =
    given.EXECUTORS.length > 0 ? null : { port: await freePort(), secret: randomBytes(24).toString('hex') }
  const own = executor && { EXECUTORS: [`http://127.0.0.1:${executor.port}`], EXECUTOR_SECRET: executor.secret }
  const env = { ...given, ...own }
  const app = await progress('Starting', startProcesses(env, executor))
  const demo = await prepareDemo(app, resolve(env.DATA_DIR))
  say(`
  Console API   ${env.PUBLIC_URL}/graphql
                sign in as ${demo.email}, password ${demo.password}
  Demo project  ${env.PUBLIC_URL}/projects/${demo.projectId}/graphql
                its key: ${demo.key}
                in GraphiQL's headers: { "authorization": "Bearer ${demo.key}" }${
                  env.SMTP_URL
                    ? ''
                    : `
  Inbox         ${env.PUBLIC_URL}/inbox`
                }

Tendril is ready. Open either address in a browser. Ctrl-C stops everything.`)
}

let stopping = false
async function stop(code: number): Promise<never> {
  if (stopping) process.exit(code)
  stopping = true
  if (opened.length > 0) say('Stopping everything. Your data stays in place.')
  await closeAll()
  process.exit(code)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))

start().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  return stop(1)
})
