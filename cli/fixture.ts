import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { startExecutor } from '../functions-runtime/testing/executor.ts'
import { type Api, startApi } from '../src/api.ts'
import { newId } from '../src/lib/ids.ts'
import { hashSecret, newSecret } from '../src/lib/secrets.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from '../workers/start.ts'

export type Ran = { code: number | null; out: string; err: string }

/** A project on a real server, and the command in a folder of its own. */
export type Stage = {
  world: World
  api: Api
  projectId: string
  key: string
  folder: string
  /** Runs `tendril` as a process of its own. */
  tendril: (...args: string[]) => Promise<Ran>
  /** The same for another project, or with another key, under any name. */
  tendrilAs: (env: Record<string, string>, ...args: string[]) => Promise<Ran>
  /** Another project, with a key that may do everything or what is named. */
  createProject: (allowed?: readonly string[]) => Promise<{ projectId: string; key: string }>
  /** One operation of the project's API. */
  request: (query: string, variables?: object) => Promise<Record<string, unknown>>
  close: () => Promise<void>
}

const command = join(import.meta.dirname, 'tendril.mjs')

export async function createStage(env: Record<string, string> = {}): Promise<Stage> {
  const world = await createWorld({ PORT: '0', ...env })
  // Agenda keeps a timer of half a lock for each job that it has run.
  const workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  const api = await startApi(world.app)
  const folder = mkdtempSync(join(tmpdir(), 'tendril-cli-'))
  const createProject = async (allowed: readonly string[] = Object.keys(scopes)) => {
    const { projectId } = await world.createProject()
    return { projectId, key: await createKey(world, projectId, allowed) }
  }
  const { projectId, key } = await createProject()
  const own = { TENDRIL_URL: api.url, TENDRIL_PROJECT: projectId, TENDRIL_KEY: key }
  const run = (env: Record<string, string>, args: string[]) => runCommand(folder, { ...own, ...env }, args)
  return {
    world,
    api,
    projectId,
    key,
    folder,
    createProject,
    tendril: (...args) => run({}, args),
    tendrilAs: (env, ...args) => run(env, args),
    request: (query, variables = {}) => request(`${api.url}/projects/${projectId}/graphql`, key, { query, variables }),
    close: async () => {
      await api.close()
      await workers.stop()
      await world.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The same with an executor beside it, for all tests of a file; both end behind them. */
export async function createFunctionsStage(): Promise<Stage> {
  const executor = await startExecutor()
  let stage: Stage | undefined
  after(async () => {
    await stage?.close()
    await executor.stop()
  })
  stage = await createStage({ EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret })
  return stage
}

async function createKey({ app }: World, projectId: string, allowed: readonly string[]): Promise<string> {
  const secret = newSecret('key')
  const row = { id: newId('key'), projectId, name: 'test', hash: hashSecret(secret), scopes: [...allowed] }
  await app.db.key.create({ data: row })
  return secret
}

function runCommand(cwd: string, env: Record<string, string>, args: string[]): Promise<Ran> {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ran: Ran = { code: null, out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk) => (ran.out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk) => (ran.err += chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ ...ran, code }))
  })
}

async function request(url: string, key: string, body: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const { data, errors } = (await response.json()) as { data: Record<string, unknown>; errors?: object[] }
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}
