/** Callers of an executor without an API between: as many as they are told, one run after the other each. */
import pino from 'pino'
import { createSandbox, type RunCall } from '../../src/platform/sandbox.ts'
import { beginPart, tell } from '../parts.ts'
import { artefactOf } from './programs.ts'

export type Calls = {
  tenant: string
  /** Run one after the other, over and over. */
  codes: readonly string[]
  callers: number
  /** For how long, or until there were so many. */
  seconds: number
  runs?: number
  timeoutMs: number
}
export type Called = { runs: number; perSecond: number; failures: readonly string[] }

const { url, secret } = beginPart<{ url: string; secret: string }>()
const sandbox = createSandbox({ env: { EXECUTORS: [url], EXECUTOR_SECRET: secret }, log: pino({ level: 'silent' }) })

function callOf({ tenant, timeoutMs }: Calls, code: string): RunCall {
  const artefact = artefactOf(code)
  return {
    tenant,
    functionId: 'fn_bench',
    executionId: 'exe_bench',
    program: { runtime: 'javascript', deploymentId: artefact, artefact, entrypoint: 'index.js' },
    limits: { timeoutMs, memoryMb: 64, isTrusted: false },
    variables: {},
    token: '',
    request: { method: 'POST', url: '/', headers: {} },
    body: Buffer.from('{}'),
    artefact: async () => Buffer.from(code),
  }
}

async function run(calls: Calls): Promise<Called> {
  const until = performance.now() + calls.seconds * 1000
  const prepared = calls.codes.map((code) => callOf(calls, code))
  const failures: string[] = []
  let runs = 0
  const loop = async () => {
    while (performance.now() < until && runs < (calls.runs ?? Number.POSITIVE_INFINITY)) {
      const call = prepared[runs++ % prepared.length]
      const { failure } = call ? await sandbox.run(call) : { failure: null }
      if (failure && failures.length < 10) failures.push(`${failure.reason}: ${failure.message}`)
    }
  }
  await Promise.all(Array.from({ length: calls.callers }, loop))
  return { runs, perSecond: runs / calls.seconds, failures }
}

process.on('message', async (calls: Calls) => tell(await run(calls)))
tell({ url })
