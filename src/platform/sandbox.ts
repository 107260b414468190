import type {
  BuildEnd,
  BuildFrame,
  FromExecutor,
  LogLine,
  RunEnd,
  RunFailure,
  RunFrame,
  RuntimeState,
} from '../../functions-runtime/protocol.ts'
import type { Env } from '../env.ts'
import type { Log } from './log.ts'
import { rankFor, stateOf, whyNot } from './sandbox/choose.ts'
import { exchange, unwanted } from './sandbox/exchange.ts'
import { createLink, giveArtefact, type Link } from './sandbox/link.ts'
import { createPreparing, type PrepareCall } from './sandbox/prepare.ts'
import { createShares, shareLimits } from './shares.ts'

export type { LogLine, PrepareCall, RunFailure, RuntimeState }

type Answer = Extract<FromExecutor, { kind: 'head' }>

/** Takes an answer as it comes. */
export type Stream = {
  head: (answer: Pick<Answer, 'status' | 'headers'>) => void
  chunk: (bytes: Buffer) => void
  /** It is complete, with `body` where none of it has come: the run goes on behind it, whether anybody waits or not. */
  answered?: (answer: Pick<Answer, 'status' | 'headers'>, body: Buffer) => void
}

export type RunCall = Omit<RunFrame, 'kind' | 'id' | 'isStreamed' | 'isRecorded'> & {
  body: Buffer
  /**
   * Has it written down that the run has begun, if it was not: called before the run does anything that others see, which may be
   * never. Where it rejects the run is ended, or does not begin.
   */
  record?: () => Promise<void>
  /** The bytes of the artefact, for an executor that does not have them; null when they are gone. */
  artefact: () => Promise<Buffer | null>
  /** Where the answer is wanted as it comes: first its head, then its parts. */
  stream?: Stream | undefined
  /** Fires when nobody waits any more: the run is ended, and what it has said until then is its result's. */
  signal?: AbortSignal | undefined
}

/** How a run ended. `body` is the answer's, unless it was streamed. */
export type RunResult = Omit<RunEnd, 'kind' | 'id'> & {
  body: Buffer
  /** Its answer had begun, and whom it was for left before its end: `response` is what they were told. */
  hasReaderLeft?: boolean
}

export type BuildCall = Omit<BuildFrame, 'kind' | 'id'> & {
  archive: Buffer
  onLine: (line: LogLine) => void
  signal?: AbortSignal | undefined
}

/** `isRetriable`: it was not the build's doing. */
export type BuildResult = Omit<BuildEnd, 'kind' | 'id'> & { artefact: Buffer; isRetriable: boolean }

export type ExecutorState = { status: 'ok' | 'unavailable'; reason: string | null; isSealed: boolean | null }

/** The way to the executors of functions. */
export type Sandbox = {
  /** Runs a function once. Never throws: what went wrong is the result's `failure`. */
  run: (call: RunCall) => Promise<RunResult>
  /** Has the executor of what will be run in a moment make it ready, unless it was told of it a while ago. */
  prepare: (call: PrepareCall) => void
  build: (call: BuildCall) => Promise<BuildResult>
  /** The runtimes that some executor knows; `unavailable` says why none of them can run it at present. */
  runtimes: () => RuntimeState[]
  executors: () => ExecutorState[]
  close: () => void
}

/** How long one that was reached before, or never yet, is waited for. */
const patienceMs = 1_500
/** How much longer than its own time a run may take before its executor is taken for dead. */
const graceMs = 30_000
/** Runs of one project that this process has under way: while no other has any, and while others do. */
const runsAtATime = { alone: 200, beside: 50 }
/** How long an executor has to tell what a run has said that nobody waits for any more. Older ones tell nothing. */
const cancelMs = 1_000
/** Nothing else that goes with a run or a build may be so large. */
const largeVariables = 'Its variables are too large together: delete some, or set shorter values.'
const empty = Buffer.alloc(0)

export function createSandbox({ env, log }: { env: Pick<Env, 'EXECUTORS' | 'EXECUTOR_SECRET'>; log: Log }): Sandbox {
  let wakers: (() => void)[] = []
  const onReady = () => {
    for (const wake of wakers.splice(0)) wake()
  }
  const links = env.EXECUTORS.map((url) => createLink({ url, secret: env.EXECUTOR_SECRET ?? '', log, onReady }))
  const preparing = createPreparing(links)
  const turns = createShares(0, shareLimits, runsAtATime)
  const nextReady = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      wakers.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  /** The executor to ask next, or why there is none. */
  const choose = async (tenant: string, runtime: string, tried: ReadonlySet<Link>): Promise<Link | string> => {
    if (links.length === 0) return 'There is no executor of functions: EXECUTORS names none.'
    if (!links.some((link) => link.welcome())) await nextReady()
    const ready = links.filter((link) => link.welcome() !== null)
    if (ready.length === 0) return 'No executor of functions can be reached.'
    const able = ready.filter((link) => whyNot(link, runtime) === null)
    if (able.length === 0) return whyNot(ready[0] as Link, runtime) ?? ''
    const [chosen] = rankFor(
      tenant,
      able.filter((link) => !tried.has(link)),
    )
    return chosen ?? 'No executor of functions has room for it.'
  }
  /** Asks one after the other, as long as it is sure that nothing has begun. */
  const ask = async <T>(
    tenant: string,
    runtime: string,
    once: (link: Link) => Promise<T | NotBegun>,
    fail: (reason: string) => T,
  ): Promise<T> => {
    const tried = new Set<Link>()
    let last: NotBegun | null = null
    for (;;) {
      const link = await choose(tenant, runtime, tried)
      if (typeof link === 'string') return fail(last?.notBegun ?? link)
      const result = await once(link)
      if (!isNotBegun(result)) return result
      last = result
      tried.add(link)
    }
  }
  return {
    run: (call) =>
      turns
        .run(call.tenant, () => ask(call.tenant, call.program.runtime, (link) => runOn(link, call), unavailableRun))
        .catch((error: Error) => unavailableRun(error.message)),
    prepare: preparing.prepare,
    build: (call) => ask(call.tenant, call.runtime, (link) => buildOn(link, call), unavailableBuild),
    runtimes: () => runtimesOf(links),
    executors: () =>
      links.map((link) => {
        const isSealed = link.welcome()?.isSealed ?? null
        return { status: isSealed === null ? 'unavailable' : 'ok', reason: link.trouble(), isSealed }
      }),
    close: () => {
      wakers = []
      for (const link of links) link.close()
    },
  }
}

type NotBegun = { notBegun: string }

const isNotBegun = (result: unknown): result is NotBegun =>
  typeof result === 'object' && result !== null && 'notBegun' in result

let count = 0

async function runOn(link: Link, call: RunCall): Promise<RunResult | NotBegun> {
  const { body, artefact, stream, signal, record, ...frame } = call
  const id = `r${++count}`
  const begun = performance.now()
  // A run that waits for its code has not begun until that is sent: whoever sends it knows, however the connection ends.
  let waitsForCode = false
  let isGiven = false
  let told: Told = null
  let isUnrecorded = false
  const isRecorded = !record || !waitsForRecord(link, call)
  if (record && isRecorded) {
    const isDone = await record().then(
      () => true,
      () => false,
    )
    if (!isDone) return failedRun('CRASHED', unrecorded)
    // It may have gone away meanwhile.
    if (link.welcome() === null) return { notBegun: 'Its executor went away before the run began.' }
  }
  const result = await exchange<RunResult | NotBegun>({
    link,
    id,
    signal,
    timeoutMs: call.limits.timeoutMs + graceMs,
    cancelMs,
    start: () => link.send({ kind: 'run', id, ...frame, isStreamed: stream !== undefined, isRecorded }, body),
    tooLarge: () => failedRun('TOO_LARGE', largeVariables),
    broken: (reason) =>
      waitsForCode && !isGiven ? { notBegun: reason } : failedRun('CRASHED', reason, performance.now() - begun),
    given: (hash) => {
      if (hash === call.program.artefact) isGiven = true
    },
    take: (head, bytes, end) => {
      if (head.kind === 'end') {
        const { kind: _kind, id: _id, ...result } = head
        if (result.failure?.reason === 'UNAVAILABLE') return end({ notBegun: result.failure.message })
        end({ ...result, body: bytes })
      } else if (head.kind === 'record') {
        // Also of what is to be done when nobody waits any more.
        const tell = (kind: 'recorded' | 'cancel') => link.send({ kind, id })
        void record?.().then(
          () => tell('recorded'),
          () => {
            isUnrecorded = true
            tell('cancel')
          },
        )
      } else if (signal?.aborted) return
      else if (head.kind === 'head') {
        stream?.head(head)
        // Whoever cannot pass it on has nobody wait any more.
        told = signal?.aborted ? 'wrong' : { status: head.status, headers: head.headers }
      } else if (head.kind === 'chunk') stream?.chunk(bytes)
      else if (head.kind === 'answered') stream?.answered?.(head, bytes)
      else if (head.kind === 'need') {
        waitsForCode = true
        void giveArtefact(link, head.hash, artefact)
      } else if (head.kind === 'waits') waitsForCode = true
    },
  })
  if (isUnrecorded && !isNotBegun(result) && result.failure?.reason === 'CRASHED')
    return { ...result, failure: { ...result.failure, message: unrecorded } }
  if (!signal?.aborted) return result
  return isNotBegun(result) ? failedRun('CRASHED', unwanted) : unwantedRun(result, told)
}

const unrecorded = 'That it begins could not be written down.'

/** Whether the run's executor holds back what others see until it is told that the beginning is written down. */
function waitsForRecord(link: Link, { program }: RunCall): boolean {
  return link.welcome()?.records === true && stateOf(link, program.runtime)?.engine === 'isolate'
}

/** What was told of an answer before its end: nothing, or what was none. */
type Told = RunResult['response'] | 'wrong'

/** What becomes of a run that was ended because nobody waited. One that ended by itself meanwhile has ended so. */
function unwantedRun(result: RunResult, told: Told): RunResult {
  const fail = (reason: RunFailure['reason'], message: string) => ({ reason, message, stack: null })
  if (told === 'wrong') {
    const failure = fail('INVALID_ANSWER', 'What it answered could not be passed on.')
    return { ...result, response: null, body: empty, failure }
  }
  if (result.failure?.reason !== 'CRASHED') return result
  if (told) return { ...result, response: told, failure: null, hasReaderLeft: true }
  return { ...result, failure: fail('CRASHED', unwanted) }
}

function buildOn(link: Link, call: BuildCall): Promise<BuildResult | NotBegun> {
  const { archive, onLine, signal, ...frame } = call
  const id = `b${++count}`
  return exchange<BuildResult | NotBegun>({
    link,
    id,
    signal,
    timeoutMs: call.timeoutMs + graceMs,
    cancelMs: 0,
    start: () => link.send({ kind: 'build', id, ...frame }, archive),
    tooLarge: () => ({ error: largeVariables, durationMs: 0, artefact: empty, isRetriable: false }),
    // A build does nothing but answer: it may be begun anew elsewhere.
    broken: (reason) => ({ notBegun: reason }),
    take: (head, bytes, end) => {
      if (head.kind === 'line') onLine(head.line)
      if (head.kind === 'built')
        end({ error: head.error, durationMs: head.durationMs, artefact: bytes, isRetriable: false })
    },
  })
}

function failedRun(reason: RunFailure['reason'], message: string, durationMs = 0): RunResult {
  return {
    response: null,
    failure: { reason, message, stack: null },
    durationMs,
    memoryBytes: null,
    isCold: false,
    logs: [],
    logsDropped: 0,
    body: empty,
  }
}

const unavailableRun = (reason: string) => failedRun('UNAVAILABLE', reason)

function unavailableBuild(reason: string): BuildResult {
  return { error: reason, durationMs: 0, artefact: empty, isRetriable: true }
}

function runtimesOf(links: readonly Link[]): RuntimeState[] {
  const found = new Map<string, RuntimeState>()
  for (const state of links.flatMap((link) => link.welcome()?.runtimes ?? [])) {
    const known = found.get(state.name)
    if (!known || (known.unavailable !== null && state.unavailable === null)) found.set(state.name, state)
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
