/**
 * A version of a function: an isolate of its own, with a fresh context for each run.
 *
 * What an artefact is: one JavaScript text, as esbuild makes it with `format: 'iife'`, `globalName: '__function'`,
 * `platform: 'neutral'` or `'browser'`, `target: 'es2024'` and `sourcemap: 'inline'`. `__function.default` is the function. `__env` has
 * its variables: what a build makes of `process.env`.
 */
import ivm from 'isolated-vm'
import { createStackMapping, type MapStack, programFile, splitSourceMap } from './stack.ts'

/** A context in which nothing of the program has run yet. */
export type Fresh = {
  context: ivm.Context
  /** The way in: what is answered, as JSON and bytes. 0 is what the run is given when it begins; -1 that nobody waits for its answer, which tells whether anything hears of it. */
  enter: ivm.Reference<(id: number, json: string, bytes: string) => boolean>
  /** Whoever answers the calls out of this context. */
  answers: { call: ((op: string, json: string, bytes: string) => string) | null }
}

export type Program = {
  script: ivm.Script
  mapStack: MapStack
  isDisposed: () => boolean
  /** The heap in bytes, as of at most 200 ms ago. */
  memoryBytes: () => Promise<number | null>
  /** What `memoryBytes` has told last. */
  lastBytes: () => number | null
  take: () => Promise<Fresh>
  /** Makes the next run's context, of what has run more than once: it costs as much as a small run, and nobody waits then. */
  prepare: () => void
  dispose: () => void
}

/** An isolate that knows the bootstrap, made before anybody needs it. */
export type Ground = {
  isolate: ivm.Isolate
  memoryMb: number
  fresh: () => Promise<Fresh>
  /**
   * Runs something of our own in a context that nobody gets, while nobody waits: what the bootstrap needs for a run is compiled
   * for the isolate's first. A code cache holds only what was compiled before it ran.
   */
  warm: () => Promise<void>
  onLost: (tell: Lost) => void
}
type Lost = (message: string) => void

/** What the contexts of many runs side by side hold, and what is left of those that are over, is not the function's. */
const contextsMb = 48
/** Longest time that our own bootstrap may take. */
const bootMs = 2_000

let cachedBootstrap: ivm.ExternalCopy<ArrayBuffer> | undefined

export async function createGround(bootstrap: string, memoryMb: number): Promise<Ground> {
  let lost: Lost = () => {}
  const isolate = new ivm.Isolate({
    memoryLimit: memoryMb + contextsMb,
    onCatastrophicError: (message) => lost(message),
  })
  const script = await compileBootstrap(isolate, bootstrap)
  let first: Promise<Fresh> | null = createFresh(isolate, script)
  await first
  return {
    isolate,
    memoryMb,
    fresh() {
      const fresh = first ?? createFresh(isolate, script)
      first = null
      return fresh
    },
    warm: () => warm(isolate, script).catch(() => {}),
    onLost: (tell) => {
      lost = tell
    },
  }
}

/** The code cache is made here, from our own text, and never leaves the process. */
async function compileBootstrap(isolate: ivm.Isolate, text: string): Promise<ivm.Script> {
  if (cachedBootstrap) return isolate.compileScript(text, { filename: 'tendril', cachedData: cachedBootstrap })
  const script = await isolate.compileScript(text, { filename: 'tendril', produceCachedData: true })
  cachedBootstrap = (script as ivm.Script & ivm.CachedDataResult).cachedData
  return script
}

async function createFresh(isolate: ivm.Isolate, bootstrap: ivm.Script): Promise<Fresh> {
  const context = await isolate.createContext()
  const answers: Fresh['answers'] = { call: null }
  const host = new ivm.Reference((op: string, json: string, bytes: string) => answers.call?.(op, json, bytes) ?? gone)
  // The isolate takes both, one after the other.
  context.global.setIgnored('__host', host)
  const enter = await bootstrap.run(context, { reference: true, timeout: bootMs })
  return { context, enter: enter as Fresh['enter'], answers }
}

const warmUp = '__run(()=>({default:async({req,res})=>res.json({is:req.method})}))'
const asked = JSON.stringify({ request: { method: 'POST', url: '/', headers: {}, isText: true }, variables: {} })

async function warm(isolate: ivm.Isolate, bootstrap: ivm.Script): Promise<void> {
  const { context, enter, answers } = await createFresh(isolate, bootstrap)
  answers.call = () => '=null\n'
  enter.applyIgnored(undefined, [0, asked, '{}'], { arguments: { copy: true } })
  await context.eval(warmUp, { timeout: bootMs })
  enter.release()
  context.release()
}

const gone = '!{"name":"Error","message":"The run has ended."}\n'

/** A program's text, and what V8 has made of it before where that is known. */
export type Source = { text: string; code: Buffer | null }

// One line before the program's first: positions stay as its source map has them.
const wrap = (program: string) =>
  `__run((__env=>{\n${program}\n;return typeof __function==="undefined"?undefined:__function}))`
const origin = { filename: programFile, lineOffset: -1 }

/** What V8 makes of a program when it reads it (its code cache). It is of use to processes with the same V8 and flags; others read the text. */
export async function compileProgram({ isolate }: Ground, text: string): Promise<Buffer> {
  const wrapped = wrap(splitSourceMap(text).code)
  const script = await isolate.compileScript(wrapped, { ...origin, produceCachedData: true })
  return Buffer.from((script as ivm.Script & ivm.CachedDataResult).cachedData?.copy() ?? new ArrayBuffer())
}

export async function createProgram(ground: Ground, { text, code: compiled }: Source): Promise<Program> {
  const { isolate } = ground
  const { code, map } = splitSourceMap(text)
  const cachedData = compiled && new ivm.ExternalCopy(new Uint8Array(compiled).buffer)
  const script = await isolate.compileScript(wrap(code), { ...origin, ...(cachedData && { cachedData }) })
  let spare: Promise<Fresh> | null = null
  let uses = 0
  let memory = { at: 0, bytes: null as number | null }
  return {
    script,
    mapStack: createStackMapping(map),
    isDisposed: () => isolate.isDisposed,
    lastBytes: () => memory.bytes,
    async memoryBytes() {
      if (Date.now() - memory.at < 200 || isolate.isDisposed) return memory.bytes
      memory = { ...memory, at: Date.now() }
      const heap = await isolate.getHeapStatistics().catch(() => null)
      memory.bytes = heap && heap.used_heap_size + heap.externally_allocated_size
      return memory.bytes
    },
    take() {
      const fresh = spare ?? ground.fresh()
      spare = null
      return fresh
    },
    prepare() {
      uses += 1
      if (uses < 2) return
      spare ??= ground.fresh()
      spare.catch(() => {})
    },
    dispose() {
      if (!isolate.isDisposed) isolate.dispose()
    },
  }
}
