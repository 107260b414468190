/**
 * What V8 makes of a program when it reads it: a process that is given it need not read the text. Of 1.3 MB that takes 5 ms instead of
 * 40 (docs/decisions/0030). V8 believes what it is given, so it is made in a process that has run nothing of anybody's and ends then.
 */
import { LRUCache } from 'lru-cache'
import type { Sandbox } from './process.ts'
import { behind } from './session.ts'

export type Codes = {
  get: (program: string, isTrusted: boolean) => Buffer | undefined
  /** Has it made a moment later, where it is not there and worth a process. `program`: the SHA-256 of the text. */
  want: (program: string, isTrusted: boolean, text: Buffer) => void
  close: () => void
}

/** Smaller programs are read in some 5 ms, and a process costs 130. */
const leastBytes = 128 * 1024
const mostBytes = 8 * 1024 * 1024
/** Of all programs together. */
const keptBytes = 64 * 1024 * 1024
/** Programs that wait for their turn; of more none is made. */
const mostWaiting = 16
/** Who has just run it, and whose place a new process takes, come first. */
const afterMs = 1_000
const longestMs = 10_000

const none = Buffer.alloc(0)

export function createCodes(start: (isTrusted: boolean) => Sandbox): Codes {
  const made = new LRUCache<string, Buffer>({ maxSize: keptBytes, sizeCalculation: ({ length }) => length + 1 })
  const waiting = new Map<string, () => Promise<Buffer>>()
  let timer: NodeJS.Timeout | undefined
  let compiling: Sandbox | undefined
  let isClosed = false

  async function makeNext(): Promise<void> {
    for (const [key, make] of waiting) {
      made.set(key, await make().catch(() => none))
      waiting.delete(key)
      break
    }
    timer = waiting.size > 0 ? setTimeout(makeNext, afterMs).unref() : undefined
  }

  return {
    get(program, isTrusted) {
      const code = made.get(keyOf(program, isTrusted))
      return code && code.length > 0 ? code : undefined
    },
    want(program, isTrusted, text) {
      const key = keyOf(program, isTrusted)
      if (isClosed || text.length < leastBytes || made.has(key) || waiting.has(key) || waiting.size >= mostWaiting)
        return
      waiting.set(key, async () => {
        compiling = start(isTrusted)
        return compile(compiling, program, text)
      })
      timer ??= setTimeout(makeNext, afterMs).unref()
    },
    close() {
      isClosed = true
      compiling?.kill('CRASHED', [])
      clearTimeout(timer)
      waiting.clear()
    },
  }
}

const keyOf = (program: string, isTrusted: boolean) => `${isTrusted} ${program}`

/** Nothing where the program cannot be read, as its run will tell. */
async function compile(sandbox: Sandbox, program: string, text: Buffer): Promise<Buffer> {
  sandbox.stand(behind.far)
  const timer = setTimeout(() => sandbox.kill('TIMEOUT', []), longestMs)
  const compiled = Promise.withResolvers<Buffer>()
  void sandbox.gone.then(() => compiled.resolve(none))
  sandbox.listen(
    ({ kind }, body) => kind === 'compiled' && compiled.resolve(body.length > mostBytes ? none : Buffer.from(body)),
  )
  sandbox.send({ kind: 'program', program }, text)
  sandbox.send({ kind: 'compile', program })
  const code = await compiled.promise
  clearTimeout(timer)
  sandbox.kill('CRASHED', [])
  return code
}
