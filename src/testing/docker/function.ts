/** A function of the tests, built and run by the adapter as an executor would. */
import { execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDockerEngine, type DockerEngine } from '../../../functions-runtime/docker/engine.ts'
import { readDockerSettings } from '../../../functions-runtime/docker/settings.ts'
import type { Perform, RunResult } from '../../../functions-runtime/engine.ts'
import type { RunFrame } from '../../../functions-runtime/protocol.ts'

export type Answer = RunResult & { text: string; chunks: string[]; head: { status: number } | null }

export type TestFunction = { artefact: Buffer; run: (path: string, asked?: Asked) => Promise<Answer> }
export type Asked = {
  method?: string
  isStreamed?: boolean
  timeoutMs?: number
  memoryMb?: number
  tenant?: string
  deploymentId?: string
  variables?: Record<string, string>
  signal?: AbortSignal
}

/** Tells what it was asked, as the broker would. One query is wrong, one host is refused, and one never answers. */
const perform: Perform = async (_run, ordinal, { op, head, body }, signal) => {
  if (op === 'graphql') {
    const isWrong = (head as { query: string }).query === '{ wrong }'
    const errors = isWrong ? [{ message: 'There is no field wrong.' }] : null
    return { head: { data: isWrong ? null : { ordinal, head }, errors }, body: Buffer.alloc(0) }
  }
  const { method, url, headers } = head as { method: string; url: string; headers: [string, string][] }
  if (url.startsWith('https://refused.example')) throw new Error('There is no way there.')
  if (url.startsWith('https://hanging.example')) await once(signal, 'abort')
  const cookies = url.endsWith('/cookies') ? ['a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT', 'b=2'] : []
  const text = `${method} ${url} ${new Map(headers).get('x-a')} ${body}`
  return {
    head: { status: 201, headers: [['x-b', 'd'], ...cookies.map((cookie) => ['set-cookie', cookie])] },
    body: Buffer.from(text),
  }
}

export function testEngine(env: Record<string, string>, onChange = () => {}): DockerEngine {
  return createDockerEngine({ settings: readDockerSettings(env), perform, onChange })
}

/** Waits until it can run there. */
export async function untilReady(engine: DockerEngine, runtime: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const state = engine.runtimes().find(({ name }) => name === runtime)
    if (!state?.unavailable) return
    if (tries === 1_100) throw new Error(state.unavailable)
    await sleep(100)
  }
}

export type Built = { artefact: Buffer } | { error: string; lines: string[] }
export type BuildAsked = {
  command?: string
  timeoutMs?: number
  variables?: Record<string, string>
  signal?: AbortSignal
}

export async function buildArchive(
  engine: DockerEngine,
  runtime: string,
  entrypoint: string,
  archive: Buffer,
  { command, timeoutMs = 60_000, variables = {}, signal = new AbortController().signal }: BuildAsked = {},
): Promise<{ lines: string[]; artefact: Buffer | null; error: string | null }> {
  const lines: string[] = []
  const frame = { kind: 'build', id: randomUUID(), tenant: 'prj_test', runtime, entrypoint } as const
  const onLine = ({ text }: { text: string }) => void lines.push(text)
  const asked = { ...frame, command: command ?? null, variables, timeoutMs }
  const built = await engine.build(asked, archive, onLine, signal)
  return { lines, artefact: null, error: null, ...built }
}

export function archiveOf(folder: string): Buffer {
  return execFileSync('tar', ['-C', resolve(import.meta.dirname, 'functions', folder), '-c', '-z', '.'])
}

export async function buildFunction(
  engine: DockerEngine,
  runtime: string,
  folder: string,
  entrypoint: string,
): Promise<TestFunction> {
  const { artefact, error, lines } = await buildArchive(engine, runtime, entrypoint, archiveOf(folder))
  if (!artefact) throw new Error([error, ...lines].join('\n'))
  return { artefact, run: (path, asked) => runOnce(engine, { runtime, entrypoint, artefact }, path, asked) }
}

type Program = { runtime: string; entrypoint: string; artefact: Buffer }

async function runOnce(
  engine: DockerEngine,
  { runtime, entrypoint, artefact }: Program,
  path: string,
  asked: Asked = {},
) {
  const {
    method = 'POST',
    isStreamed = false,
    timeoutMs = 20_000,
    memoryMb = 128,
    tenant = 'prj_test',
    deploymentId = 'dep_test',
    variables = { NAME: 'Ada' },
  } = asked
  const hash = createHash('sha256').update(artefact).digest('hex')
  const run: RunFrame = {
    ...{ kind: 'run', id: randomUUID(), tenant, functionId: 'fun_test', executionId: randomUUID(), token: 'run_test' },
    program: { runtime, entrypoint, deploymentId, artefact: hash },
    limits: { timeoutMs, memoryMb, isTrusted: false },
    variables,
    request: { method, url: path, headers: { 'x-a': 'b', 'content-type': 'application/json' } },
    isStreamed,
  }
  const chunks: string[] = []
  let head: Answer['head'] = null
  const result = await engine.run({
    run,
    body: Buffer.from('{"a":[1,"ü"]}'),
    artefact: async () => artefact,
    onHead: (status) => {
      head = { status }
    },
    onAnswered: () => {},
    onChunk: async (bytes) => void chunks.push(bytes.toString()),
    recorded: async () => {},
    signal: asked.signal ?? new AbortController().signal,
  })
  return { ...result, text: result.body.toString(), chunks, head }
}
