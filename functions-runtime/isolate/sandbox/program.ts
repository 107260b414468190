/**
 * A version of a function: an isolate of its own, with a fresh context for each run.
 *
 * What an artefact is: one JavaScript text, as esbuild makes it with `format: 'iife'`, `globalName: '__function'`,
 * `platform: 'neutral'` or `'browser'`, `target: 'es2024'` and `sourcemap: 'inline'`. `__function.default` is the function.
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

const gone = '!{"name":"Error","message":"The run has ended."}\n'

export async function createProgram(ground: Ground, text: string): Promise<Program> {
  const { isolate } = ground
  const { code, map } = splitSourceMap(text)
  // One line before the program's first: positions stay as its source map has them.
  const wrapped = `__run((()=>{\n${code}\n;return typeof __function==="undefined"?undefined:__function}))`
  const script = await isolate.compileScript(wrapped, { filename: programFile, lineOffset: -1 })
  let spare: Promise<Fresh> | null = null
  let uses = 0
  let memory = { at: 0, bytes: null as number | null }
  return {
    script,
    mapStack: createStackMapping(map),
    isDisposed: () => isolate.isDisposed,
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
