/**
 * A tenant's process. It is bundled, given to Node over its standard input, and speaks frames on its file 3. It has no
 * network, no files and no secrets; what its runs ask of the world goes to the supervisor.
 */
import type { Frame, RunFailure } from '../../protocol.ts'
import { type FromSandbox, limits, type Run, type Send, type ToSandbox, unwanted, warmUpId } from '../messages.ts'
import { createBusy } from './busy.ts'
import { createLanes, type Lane, type Lanes, openLane } from './lanes.ts'
import { nodeCrypto, nodeModule } from './later.ts'
import { openPipe } from './pipe.ts'
import { compileProgram, createGround, createProgram, type Ground, type Source } from './program.ts'
import { beside, createLive, type Live } from './run.ts'

declare const __BOOTSTRAP__: string
/** The limit that most functions have: an isolate with it is always at hand. */
declare const __USUAL_MEMORY_MB__: number
const usualMb = __USUAL_MEMORY_MB__
/** Once: esbuild writes the text wherever the name is. */
const bootstrap = __BOOTSTRAP__

type Kept = { lanes: Lanes; usedAt: number; hasRun: boolean }

// The first isolate and its context are made before the tenant is known, and begun before all else.
let spare: Promise<Ground> | null = createGround(bootstrap, usualMb)
const pipe = openPipe(take)
const send: Send = (head, body) => {
  if ('id' in head && head.id === warmUpId) setTimeout(forgetWarmUp, 100)
  // No process is to end by it.
  else if (!(head.kind === 'dying' && head.ids.includes(warmUpId))) pipe.send(head, body)
}
const sources = new Map<string, Source>()
const programs = new Map<string, Promise<Kept>>()
const lives = new Map<string, Live>()
// Nobody is to blame for the run before all of theirs, which one of them may be beside.
const busy = createBusy((ids) => send({ kind: 'busy', ids: ids.filter((id) => id !== warmUpId) }))

/** The last words of a process that cannot be saved. */
function die(ids: string[], reason: 'MEMORY' | 'TIMEOUT'): never {
  pipe.sendLast({ kind: 'dying', ids, reason })
  process.kill(process.pid, 'SIGKILL')
  return process.exit(1)
}

async function groundFor(memoryMb: number): Promise<Ground> {
  const ground = await (memoryMb === usualMb && spare ? spare : createGround(bootstrap, memoryMb))
  if (memoryMb === usualMb) {
    spare = null
    // A moment later: whoever has taken it reads a program first.
    setTimeout(prepareSpare, 20)
  }
  return ground
}

function prepareSpare(): void {
  spare ??= createGround(bootstrap, usualMb)
  void spare.then((ground) => ground.warm())
}

async function openOne(source: Source, memoryMb: number): Promise<Lane> {
  const ground = await groundFor(memoryMb)
  return openLane(ground, createProgram(ground, source), ({ live }, why) => {
    const inside = busy.now().filter((id) => live.has(id))
    die(inside, /memory/i.test(why) ? 'MEMORY' : 'TIMEOUT')
  })
}

async function openProgram(source: Source, memoryMb: number): Promise<Kept> {
  const open = () => openOne(source, memoryMb)
  const wanting = (live: ReadonlySet<string>) => [...live].filter((id) => !lives.get(id)?.isWaiting()).length
  return { lanes: createLanes({ first: await open(), open, wanting }), usedAt: Date.now(), hasRun: false }
}

/** Those that are open, by what opened them. */
const opened = new WeakMap<Promise<Kept>, Kept>()

/**
 * The isolates that were used last are kept, of those that hold much fewer: what nothing has collected in them yet would count
 * against the runs of others, for the wall is around the process.
 */
function makeRoomBeside(current: Promise<Kept>): void {
  if (programs.size === 1) return
  const idle = [...programs].flatMap(([key, opening]) => {
    const kept = opened.get(opening)
    return kept && opening !== current && kept.lanes.isIdle() ? [{ key, kept }] : []
  })
  let surplus = programs.size - limits.programs
  let bytes = idle.reduce((sum, { kept }) => sum + kept.lanes.bytes(), 0)
  for (const { key, kept } of idle.sort((a, b) => a.kept.usedAt - b.kept.usedAt)) {
    if (surplus <= 0 && bytes <= limits.idleBytes) return
    surplus -= 1
    bytes -= kept.lanes.bytes()
    programs.delete(key)
    kept.lanes.dispose()
  }
}

/** Runs whose program is still being opened. */
const coming = new Set<string>()

type Wanted = Pick<Run, 'functionId' | 'program' | 'memoryMb'>

const keyOf = ({ functionId, program, memoryMb }: Wanted) => `${functionId} ${program} ${memoryMb}`
const isOfWarmUp = (key: string) => key.split(' ')[1] === warmUpId

/** The program, which is read first where it has to be; null where its text is not here. */
function open(wanted: Wanted): Promise<Kept> | null {
  const key = keyOf(wanted)
  const source = sources.get(wanted.program)
  if (!source) return null
  const opening = programs.get(key) ?? openProgram(source, wanted.memoryMb)
  programs.set(key, opening)
  opening.then(
    (kept) => opened.set(opening, kept),
    () => {
      if (programs.get(key) === opening) programs.delete(key)
    },
  )
  return opening
}

let preparing = 0

/** What is not made ready its run reads itself. */
async function prepare(wanted: Wanted): Promise<void> {
  if (preparing >= limits.prepared) return
  preparing += 1
  const opening = open(wanted)
  await opening?.catch(() => {})
  if (opening) makeRoomBeside(opening)
  preparing -= 1
}

async function begin(run: Run, body: Buffer): Promise<void> {
  const begun = performance.now()
  const opening = open(run)
  if (opening === null) return send({ kind: 'missing', id: run.id, program: run.program })
  coming.add(run.id)
  let kept: Kept
  try {
    kept = await opening
  } catch (error) {
    if (coming.delete(run.id)) send(notBegun(run.id, failureOf(error), performance.now() - begun))
    return
  }
  kept.usedAt = Date.now()
  const isCold = !kept.hasRun
  kept.hasRun = true
  makeRoomBeside(opening)
  // Nobody watches over one that was given up meanwhile.
  if (coming.delete(run.id)) await start({ run, body, begun, isCold, opening, kept })
}

type Start = { run: Run; body: Buffer; begun: number; isCold: boolean; opening: Promise<Kept>; kept: Kept }

async function start({ run, body, begun, isCold, opening, kept }: Start): Promise<void> {
  const lane = kept.lanes.pick()
  const { program, live } = lane
  // It was lost a moment ago, and none of its runs has come to say so.
  if (program.isDisposed()) {
    lose(keyOf(run), opening, kept, lane)
    return begin(run, body)
  }
  live.add(run.id)
  const onEnd = () => {
    lives.delete(run.id)
    live.delete(run.id)
    void program.memoryBytes()
    if (program.isDisposed()) lose(keyOf(run), opening, kept, lane)
  }
  const one = createLive({ run, program, isCold, begun, send, busy, onEnd })
  lives.set(run.id, one)
  try {
    one.begin(await program.take(), body)
    program.prepare()
  } catch {
    one.stop({ reason: 'CRASHED', message: 'The function could not be started.', stack: null })
  }
}

/** An isolate is gone, and with it all that ran in it. */
function lose(key: string, opening: Promise<Kept>, { lanes }: Kept, lane: Lane): void {
  lanes.drop(lane)
  if (lanes.isEmpty() && programs.get(key) === opening) programs.delete(key)
  for (const id of [...lane.live]) lives.get(id)?.stop(beside)
}

function failureOf(error: unknown): RunFailure {
  const message = error instanceof Error ? error.message.slice(0, 8_192) : 'The program cannot be read.'
  return { reason: 'THREW', message, stack: null }
}

function notBegun(id: string, failure: RunFailure, durationMs: number): FromSandbox {
  const nothing = { response: null, memoryBytes: null, logs: [], logsDropped: 0 }
  return { kind: 'ended', id, failure, durationMs, isCold: true, ...nothing }
}

/** Of the oldest texts the supervisor is asked again. */
function keepText(program: string, text: string): void {
  sources.delete(program)
  sources.set(program, { text, code: null })
  const [oldest] = sources.keys()
  if (sources.size > limits.programs && oldest) sources.delete(oldest)
}

function keepCode(program: string, code: Buffer): void {
  const source = sources.get(program)
  // A copy: what came is a view into the bytes of all that came with it.
  if (source) source.code = Buffer.from(code)
}

async function compile(program: string): Promise<void> {
  const text = sources.get(program)?.text ?? ''
  const code = await groundFor(usualMb)
    .then((ground) => compileProgram(ground, text))
    .catch(() => undefined)
  send({ kind: 'compiled' }, code)
}

function cancel(id: string): void {
  if (coming.delete(id)) send(notBegun(id, unwanted, 0))
  else lives.get(id)?.leave()
}

function take({ head, body }: Frame<ToSandbox>): void {
  if (head.kind === 'run') void begin(head, body)
  else if (head.kind === 'prepare') void prepare(head)
  else if (head.kind === 'program') keepText(head.program, body.toString('utf8'))
  else if (head.kind === 'code') keepCode(head.program, body)
  else if (head.kind === 'compile') void compile(head.program)
  else if (head.kind === 'cancel') cancel(head.id)
  else lives.get(head.id)?.answer(head, body)
}

void spare.then(() => {
  send({ kind: 'ready' })
  setTimeout(warmUp, 10)
})

/** What comes with the first runs is loaded while nobody waits. */
function warmUp(): void {
  if (programs.size > 0) return
  nodeCrypto()
  nodeModule()
  void spare?.then((ground) => ground.warm())
}

async function forgetWarmUp(): Promise<void> {
  sources.delete(warmUpId)
  for (const [key, kept] of programs) {
    if (!isOfWarmUp(key)) continue
    programs.delete(key)
    ;(await kept.catch(() => null))?.lanes.dispose()
  }
}
