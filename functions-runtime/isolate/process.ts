/** One sandbox process, as the supervisor sees it: frames in and out, and how it ends. Nothing it says is trusted. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { createDecoder, writeFrame } from '../protocol.ts'
import { residentBytes } from './memory.ts'
import type { FromSandbox, ToSandbox } from './messages.ts'
import type { Command } from './seal.ts'
import { createSession, type Session } from './session.ts'

/** Why a process is gone, and which of its runs may have been the cause. */
export type Death = { reason: 'MEMORY' | 'TIMEOUT' | 'CRASHED'; suspects: readonly string[] }

export type Sandbox = {
  pid: number | undefined
  /** Resolves when it can run; rejects when it ends before. */
  ready: Promise<void>
  send: (head: ToSandbox, body?: Buffer) => void
  listen: (listener: (head: FromSandbox, body: Buffer) => void) => void
  /** Resolves when it is gone. */
  gone: Promise<Death>
  isGone: () => boolean
  kill: (reason: Death['reason'], suspects: readonly string[]) => void
  /** How far it stands behind everything else. */
  stand: Session['stand']
}

type Options = { command: Command; program: string; memoryMb: number; watchesMemory: boolean }

const saidBytes = 16 * 1024
/** In V8's last words: its own limits of size mean the same to whoever wrote the function. */
const memoryWords =
  /out of memory|OOM|heap limit|allocation failed|bad_alloc|Cannot allocate|invalid size|invalid array length/i

export function startSandbox({ command, program, memoryMb, watchesMemory }: Options): Sandbox {
  const { file, args, ...where } = command
  // A session of its own: no terminal of ours is its.
  const child = spawn(file, args, { ...where, detached: true, stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
  const session = createSession(child.pid)
  const pipe = child.stdio[3] as Duplex
  const said = readEnd(child)
  let busy: readonly string[] = []
  let verdict: Death | null = null
  let isGone = false
  let listener: (head: FromSandbox, body: Buffer) => void = () => {}
  const ready = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<Death>()
  ready.promise.catch(() => {})

  function kill(reason: Death['reason'], suspects: readonly string[]): void {
    verdict ??= { reason, suspects }
    if (!isGone) killSession(child.pid)
  }

  function take(head: FromSandbox, body: Buffer): void {
    if (head.kind === 'ready') ready.resolve()
    else if (head.kind === 'busy') busy = head.ids
    else if (head.kind === 'dying') kill(head.reason, head.ids)
    else listener(head, body)
  }

  const decode = createDecoder<FromSandbox>()
  pipe.on('data', (bytes: Buffer) => {
    try {
      for (const { head, body } of decode(bytes)) take(head, body)
    } catch {
      // Somebody has taken the process over: it does not speak our language any more.
      kill('CRASHED', busy)
    }
  })
  pipe.on('error', () => {})
  child.stdin?.on('error', () => {})
  child.stdin?.end(program)

  const watch = watchesMemory
    ? setInterval(async () => {
        const bytes = child.pid ? await residentBytes(child.pid) : null
        if (bytes !== null && bytes > memoryMb * 1024 * 1024) kill('MEMORY', busy)
      }, 250)
    : undefined

  const end = () => {
    if (isGone) return
    isGone = true
    clearInterval(watch)
    session.close()
    pipe.destroy()
    ready.reject(new Error(`A sandbox could not be started: ${said().trim().split('\n').at(-1) || 'it ended at once'}`))
    gone.resolve(verdict ?? { reason: memoryWords.test(said()) ? 'MEMORY' : 'CRASHED', suspects: busy })
  }
  child.once('error', end)
  child.once('close', end)

  return {
    pid: child.pid,
    ready: ready.promise,
    send: (head, body) => void writeFrame(pipe, head, body),
    listen: (given) => {
      listener = given
    },
    gone: gone.promise,
    isGone: () => isGone,
    kill,
    stand: session.stand,
  }
}

/**
 * All that is in it: what bubblewrap has begun hears of its death only when it is ready, and would outlive one that ends in its first
 * milliseconds.
 */
function killSession(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

/** The end of what a process has written to its standard error. */
function readEnd(child: ChildProcess): () => string {
  let said = ''
  child.stderr?.on('data', (text) => {
    said = (said + text).slice(-saidBytes)
  })
  return () => said
}
