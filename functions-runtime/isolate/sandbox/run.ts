/** One run in a fresh context: what goes in, and how it ends, once. */
import { isUtf8 } from 'node:buffer'
import type { RunFailure } from '../../protocol.ts'
import { type Run, type Send, type ToSandbox, unwanted } from '../messages.ts'
import { createAnswering, type Held, type Result } from './answering.ts'
import type { Busy } from './busy.ts'
import { createLogs, type Logs } from './logs.ts'
import { createChannel, nameAndMessage, plainOps } from './ops.ts'
import type { Fresh, Program } from './program.ts'
import { createWaiting, type Waiting } from './waiting.ts'

export type Live = {
  begin: (fresh: Fresh, body: Buffer) => void
  /** An answer to what the run has asked of the supervisor. */
  answer: (frame: Extract<ToSandbox, { kind: 'answer' }>, body: Buffer) => void
  /** Whether it waits for a timer or an answer, and wants no processor. */
  isWaiting: () => boolean
  /** Tells it that nobody waits for its answer any more, and ends it. */
  leave: () => void
  /** Ends it from outside. */
  stop: (failure: RunFailure) => void
}

type Options = { run: Run; program: Program; isCold: boolean; begun: number; send: Send; busy: Busy; onEnd: () => void }

type State = Options & {
  logs: Logs
  waiting: Waiting
  fresh: Fresh | null
  /** What it has answered, while it goes on. */
  held: Held | null
  isUnwanted: boolean
  isEnded: boolean
  /** How many entries into the isolate are under way. */
  entries: number
  timer: NodeJS.Timeout
  /** Whether the run's time is over. */
  isLate: boolean
}

/** How long the isolate has to stop by itself before the process goes. */
const stuckAfterMs = 1_000
/**
 * A loop is stopped by its isolate, which also knows where it was. That comes a moment after the time is over, and a longer one
 * where the processors are busy.
 */
const stopMs = 200
/** How long a run goes on that nobody waits for. */
const leaveMs = 300

export function createLive(options: Options): Live {
  const { run, send, program } = options
  const waiting = createWaiting({ run, send, deliver: (...told) => deliver(state, ...told) })
  const timer = setTimeout(() => {
    state.isLate = true
    if (state.isEnded) watchStuck(state)
    else if (state.entries === 0) timedOut(state, null)
    else setTimeout(timedOut, stopMs, state, null)
  }, run.timeoutMs)
  const logs = createLogs((lines) => send({ kind: 'said', id: run.id, lines }))
  const state: State = { ...options, waiting, timer, logs, ...begunWith }
  const findAnswering = createAnswering({
    run,
    send,
    logs,
    mapStack: program.mapStack,
    end: (result) => {
      // Nobody waits for its answer: it ends when nothing is left for it to do.
      if (!(state.isUnwanted && 'response' in result)) end(state, result)
    },
    hold: (answer) => {
      if (state.isUnwanted) return
      state.held = answer
      send({ kind: 'answered', id: run.id, ...answer.response }, answer.body)
    },
    wait: waiting.add,
  })
  const find = (name: string) => {
    const plain = plainOps.get(name)
    // After its end a run reaches nothing any more.
    if (!plain && state.isEnded) throw new Error('The run has ended.')
    return plain ?? findAnswering(name) ?? waiting.find(name)
  }
  return {
    begin(fresh, body) {
      if (state.isEnded) return
      state.fresh = fresh
      fresh.answers.call = createChannel({ find, unheard: (error) => end(state, { failure: invalid(error) }) })
      // The isolate takes both, one after the other: to have the program ask for it costs a wait for each other.
      fresh.enter.applyIgnored(undefined, given(run, body), copied)
      void enter(state, (timeout) => program.script.run(fresh.context, { timeout }))
    },
    answer: waiting.answer,
    leave: () => leave(state),
    isWaiting: () => state.fresh !== null && state.entries === 0,
    stop: (failure) => end(state, { failure }),
  }
}

const begunWith = { fresh: null, held: null, isUnwanted: false, isEnded: false, entries: 0, isLate: false }
const copied = { arguments: { copy: true }, result: { copy: true } } as const

/** What a program is given when it begins. */
function given({ request, variables, isStreamed }: Run, body: Buffer): [number, string, string] {
  const isText = isUtf8(body)
  const head = { request: { ...request, isText }, variables, isStreamed }
  return [0, JSON.stringify(head), body.toString(isText ? 'utf8' : 'base64')]
}

function deliver(state: State, id: number, json: string, bytes: string): void {
  const { fresh, isEnded } = state
  if (!fresh || isEnded) return
  const args: [number, string, string] = [id, json, bytes]
  void enter(state, (timeout) => fresh.enter.apply(undefined, args, { timeout, ...copied }))
}

/** What hears of it has a moment for what is to be done then. */
function leave(state: State): void {
  const { fresh, isEnded } = state
  if (!fresh || isEnded) {
    end(state, { failure: unwanted })
    return
  }
  state.isUnwanted = true
  setTimeout(end, leaveMs, state, { failure: unwanted })
  void enter(state, async (timeout) => {
    const isHeard = await fresh.enter.apply(undefined, [-1, '', ''], { timeout, ...copied })
    if (!isHeard) end(state, { failure: unwanted })
  })
}

const deadline = ({ begun, run }: State) => begun + run.timeoutMs

/** Everything that runs code of the program goes through here. */
async function enter(state: State, work: (timeout: number) => Promise<unknown>): Promise<void> {
  const leave = state.busy.enter(state.run.id)
  state.entries += 1
  try {
    await work(Math.max(Math.ceil(deadline(state) - performance.now()), 1))
  } catch (error) {
    brokenOff(state, error)
  }
  state.entries -= 1
  leave()
  if (state.entries > 0) return
  if (state.isEnded) release(state)
  else if (state.waiting.count() === 0) end(state, { failure: never })
}

function brokenOff(state: State, error: unknown): void {
  const { program, logs } = state
  const message = error instanceof Error ? error.message : ''
  const stack = error instanceof Error && error.stack ? program.mapStack(error.stack) : null
  if (/timed out/.test(message)) timedOut(state, stack)
  else if (/memory limit/.test(message)) end(state, { failure: memory })
  else if (program.isDisposed()) end(state, { failure: beside })
  else {
    // What was no Error cannot be shown: isolated-vm says so in words of its own.
    const what = /isolated-vm/.test(message) ? '' : (stack ?? message)
    logs.add('error', what === '' ? 'Unhandled rejection' : `Unhandled rejection: ${what}`)
  }
}

function timedOut(state: State, stack: string | null): void {
  end(state, {
    failure: { reason: 'TIMEOUT', message: `The function ran longer than ${state.run.timeoutMs} ms.`, stack },
  })
}

function end(state: State, given: Result): void {
  if (state.isEnded) return
  state.isEnded = true
  const result = state.held ?? (state.isUnwanted ? { failure: unwanted } : given)
  if (result !== given && 'failure' in given && given.failure !== unwanted) tellCutOff(state, given.failure)
  state.waiting.close()
  const durationMs = performance.now() - state.begun
  // An isolate that was broken off may not be able to tell its memory.
  const isWell = 'response' in given
  if (isWell) void state.program.memoryBytes().then((memoryBytes) => tell(state, result, { durationMs, memoryBytes }))
  else tell(state, result, { durationMs, memoryBytes: null })
  // Until its time is over, the run's own timer watches. It is gone with the context: each would keep its run for as long.
  if (state.entries === 0) release(state)
  else if (state.isLate) watchStuck(state)
}

/** What has answered has not failed, whatever becomes of what it has left to be done; nor has what nobody waits for. */
function tellCutOff({ held, logs }: State, failure: RunFailure): void {
  const { message, stack } = failure
  if (!held && failure === never) return
  const said = failure === never ? 'It waited for what cannot happen.' : message
  const why = stack?.includes(said) ? stack : [said, stack ?? []].flat().join('\n')
  logs.add('error', held ? `What waitUntil was given was cut off: ${why}` : why)
}

type Measured = { durationMs: number; memoryBytes: number | null }

function tell({ run, logs, isCold, send, onEnd }: State, result: Result, measured: Measured): void {
  onEnd()
  logs.close()
  const said = { logs: logs.lines, logsDropped: logs.dropped() }
  const head = { kind: 'ended', id: run.id, isCold, ...measured, ...said } as const
  if ('response' in result) send({ ...head, response: result.response, failure: null }, result.body)
  else send({ ...head, response: null, failure: result.failure })
}

function release(state: State): void {
  const { fresh } = state
  clearTimeout(state.timer)
  state.fresh = null
  if (!fresh) return
  fresh.answers.call = null
  fresh.enter.release()
  fresh.context.release()
}

function watchStuck(state: State): void {
  setTimeout(() => {
    if (state.entries > 0) state.send({ kind: 'dying', ids: [state.run.id], reason: 'TIMEOUT' })
  }, stuckAfterMs).unref()
}

const never: RunFailure = {
  reason: 'INVALID_ANSWER',
  message: 'The function never answered: it waits for what cannot happen.',
  stack: null,
}
const invalid = (error: unknown): RunFailure => ({
  reason: 'INVALID_ANSWER',
  message: nameAndMessage(error).message,
  stack: null,
})
const memory: RunFailure = { reason: 'MEMORY', message: 'The function used more memory than it may.', stack: null }
/** One of them may be the cause, or all: they share an isolate, and its limit. */
export const beside: RunFailure = {
  reason: 'CRASHED',
  message: 'The runs of the function that were under way together used up its memory.',
  stack: null,
}
