/** One run in a tenant's process, from this side of the pipe. */
import { failed, failureOf, type Perform, type RunCall, RunError, type RunResult } from '../engine.ts'
import type { LogLine, PrepareFrame, RunEnd, RunFailure, RunLimits } from '../protocol.ts'
import { checkedEnd, checkedHead, checkedLines } from './checked.ts'
import { type FromSandbox, limits, type Run, unwanted } from './messages.ts'
import type { Held } from './pool.ts'
import type { Death } from './process.ts'

/** How much later than its time a run's process is killed, when the process itself has not ended the run. */
const graceMs = 1_500
/** How long a process has to tell what a run has said that nobody waits for any more. The caller waits for a second. */
const cancelMs = 500
const smallestMemoryMb = 16

type Message = Extract<FromSandbox, { id: string }>
type Listener = { take: (head: Message, body: Buffer) => void; die: (death: Death, among: number) => void }
const underWay = new WeakMap<Held, Map<string, Listener>>()

/**
 * The runs that are under way in a process, by their ids; what comes for none of them is dropped. They hear of its end from here: a
 * process outlives its runs, and all of them would be kept if each waited for that end itself.
 */
function underWayIn(held: Held): Map<string, Listener> {
  const known = underWay.get(held)
  if (known) return known
  const runs = new Map<string, Listener>()
  underWay.set(held, runs)
  held.sandbox.listen((head, body) => {
    if ('id' in head) runs.get(head.id)?.take(head, body)
  })
  void held.sandbox.gone.then((death) => {
    const among = runs.size
    for (const run of [...runs.values()]) run.die(death, among)
  })
  return runs
}

const memoryMbOf = ({ memoryMb }: RunLimits) => Math.max(memoryMb, smallestMemoryMb)

function giveProgram({ programs, sandbox, codeOf }: Held, program: string, artefact: Buffer): void {
  if (programs.has(program)) return
  sandbox.send({ kind: 'program', program }, artefact)
  const code = codeOf(program)
  if (code) sandbox.send({ kind: 'code', program }, code)
  programs.add(program)
}

/** Has the process read a program before its first run. */
export function prepareIn(held: Held, { functionId, program, limits }: PrepareFrame, artefact: Buffer): void {
  giveProgram(held, program.artefact, artefact)
  held.sandbox.send({ kind: 'prepare', functionId, program: program.artefact, memoryMb: memoryMbOf(limits) })
}

/** Throws where the process is gone already: the run has not begun. */
export function runIn(held: Held, call: RunCall, artefact: Buffer, perform: Perform): Promise<RunResult> {
  const { run, signal } = call
  const { id } = run
  const begun = performance.now()
  const { sandbox } = held
  if (sandbox.isGone()) throw new RunError('UNAVAILABLE', 'Its process ended before its code was there.')
  const runs = underWayIn(held)
  const { promise, resolve } = Promise.withResolvers<RunResult>()
  const effects = createEffects(held, call, perform)

  let cancelled: NodeJS.Timeout | undefined
  const watchdog = setTimeout(() => sandbox.kill('TIMEOUT', [id]), run.limits.timeoutMs + graceMs)
  const settle = (result: RunResult) => {
    runs.delete(id)
    clearTimeout(watchdog)
    clearTimeout(cancelled)
    signal.removeEventListener('abort', cancel)
    effects.close()
    resolve(result)
  }
  /** Where its process dies this is all that there is of its log. */
  let said: LogLine[] = []
  const cancel = () => {
    sandbox.send({ kind: 'cancel', id })
    const durationMs = performance.now() - begun
    cancelled = setTimeout(() => settle(failed(unwanted, { durationMs, logs: said })), cancelMs)
  }
  signal.addEventListener('abort', cancel)
  const begin = () => {
    giveProgram(held, run.program.artefact, artefact)
    sandbox.send(sent(run), call.body)
  }

  let begins = 1
  const beginAgain = () => {
    // It forgets the programs that it has not run for long. Once more is enough for one that is what it should be.
    held.programs.delete(run.program.artefact)
    begins += 1
    if (begins <= 3) begin()
    else settle(failed({ reason: 'CRASHED', message: 'The function could not be started.', stack: null }))
  }

  const parts = createParts(call, (error) => settle(failed(failureOf(error))))

  let answered: Answered | null = null
  runs.set(id, {
    take(head, body) {
      if (head.kind === 'ended') {
        // It may wait to be written down, which is not its own time.
        clearTimeout(watchdog)
        parts.end(() => settle(checkedEnd(head, body)))
      } else if (head.kind === 'said') {
        if (said.length < limits.logLines) said = checkedLines(said.concat(head.lines))
      }
      // It may have something to do yet when it hears that nobody waits.
      else if (head.kind === 'effect') effects.begin(head, body)
      else if (head.kind === 'giveUp') effects.giveUp(head.effect)
      else if (signal.aborted) return void (head.kind === 'missing' && settle(failed(unwanted)))
      else if (head.kind === 'missing') beginAgain()
      else if (head.kind === 'head' && run.isStreamed) {
        const checked = checkedHead(head)
        parts.pass(() => call.onHead(...checked))
      } else if (head.kind === 'answered') {
        answered = { head, body }
        const checked = checkedHead(head)
        if (run.isStreamed) parts.pass(() => call.onAnswered(...checked, body.subarray(0, limits.answerBytes)))
      } else if (head.kind === 'chunk' && run.isStreamed)
        parts.pass(() => void call.onChunk(body).then(() => effects.answer(head.effect, null)))
    },
    die: (death, among) =>
      settle(cutOff(blame(death, id, among), answered, { durationMs: performance.now() - begun, logs: said })),
  })
  try {
    begin()
  } catch (error) {
    settle(failed(failureOf(error)))
  }
  return promise
}

function sent({ id, functionId, program, limits, variables, request, isStreamed }: RunCall['run']): Run {
  const { timeoutMs } = limits
  const own = { timeoutMs, memoryMb: memoryMbOf(limits) }
  return { kind: 'run', id, functionId, program: program.artefact, ...own, variables, request, isStreamed }
}

type Known = Pick<RunEnd, 'durationMs'> & { logs: LogLine[] }

type Answered = { head: Extract<FromSandbox, { kind: 'answered' }>; body: Buffer }

/** How a run ends whose process did. What it had answered stands: what went on behind that was cut off. */
function cutOff(failure: RunFailure, answered: Answered | null, { durationMs, logs: said }: Known): RunResult {
  if (!answered) return failed(failure, { durationMs, logs: said })
  const text = `What waitUntil was given was cut off: ${failure.message}`
  const last = { at: Date.now(), level: 'error' as const, text }
  // What it has said until then may be all that a log has room for.
  const logs = [...checkedLines(said.slice(0, limits.logLines - 1), limits.logBytes - text.length), last]
  const nothing = { memoryBytes: null, isCold: false, logsDropped: 0 }
  const { id, ...response } = answered.head
  return checkedEnd({ ...nothing, kind: 'ended', id, response, failure: null, durationMs, logs }, answered.body)
}

/** What a run asks of the world, with its own token and as many at once as it may. */
function createEffects({ sandbox }: Held, { run, recorded }: RunCall, perform: Perform) {
  const under = new Map<number, AbortController>()
  let ordinal = 0

  function answer(effect: number, head: unknown, body?: Buffer): void {
    sandbox.send({ kind: 'answer', id: run.id, effect, head, error: null }, body)
  }

  function refuse(effect: number, error: { name: string; message: string }): void {
    sandbox.send({ kind: 'answer', id: run.id, effect, head: null, error })
  }

  return {
    answer,
    begin({ effect, op, head }: Extract<FromSandbox, { kind: 'effect' }>, body: Buffer): void {
      if (under.has(effect) || (op !== 'fetch' && op !== 'graphql')) return
      if (under.size >= limits.effects) {
        refuse(effect, { name: 'RangeError', message: `A run may make ${limits.effects} calls at once.` })
        return
      }
      const controller = new AbortController()
      under.set(effect, controller)
      ordinal += 1
      const { signal } = controller
      const count = ordinal
      recorded()
        .then(() => {
          signal.throwIfAborted()
          return perform(run, count, { op, head, body }, signal)
        })
        .then((got) => answer(effect, got.head, got.body))
        .catch(({ name, message }: Error) => refuse(effect, { name, message }))
        .finally(() => under.delete(effect))
    },
    giveUp: (effect: number) => under.get(effect)?.abort(),
    close() {
      for (const controller of under.values()) controller.abort()
    },
  }
}

/** The parts of an answer that is wanted as it comes: they are seen before its end. */
function createParts({ recorded }: RunCall, fail: (error: unknown) => void) {
  let passed: Promise<void> | null = null
  return {
    pass(part: () => void): void {
      passed = (passed ?? recorded()).then(part).catch(fail)
    },
    end(settle: () => void): void {
      if (passed) void passed.then(settle)
      else settle()
    },
  }
}

/** Who was in the isolate when the process died has caused it; the others were beside it, and may be tried again. */
function blame({ reason, suspects }: Death, id: string, runs: number): RunFailure {
  const isSuspect = suspects.includes(id) || (suspects.length === 0 && runs === 1)
  if (!isSuspect || reason === 'CRASHED') {
    return { reason: 'CRASHED', message: 'The process of the function ended while it ran.', stack: null }
  }
  const message =
    reason === 'MEMORY' ? 'The function used more memory than it may.' : 'The function ran longer than it may.'
  return { reason, message, stack: null }
}
