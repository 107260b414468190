import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from './accounts.ts'

/** A server that is up: where it is, its process (null where it is a part of ours), how to end it, and word of its end. */
export type Server = { url: string; pid: number | null; stop(): Promise<void>; ended: Promise<void> }

/** A program tied to the life of this process. */
export type Tied = {
  pid: number
  /** Settles when the program has ended, however that came. */
  ended: Promise<{ code: number | null; signal: string | null }>
  hasEnded(): boolean
  /** From now on this process may end although the program runs; the program then ends too. */
  unref(): void
  stop(): Promise<void>
  log(): string
}

export type TieOptions = {
  logFile: string
  stopSignal: 'INT' | 'TERM'
  cwd?: string
  env?: Record<string, string>
  account?: Account | undefined
  /** What the program reads from its standard input. */
  input?: string
  graceMs?: number
}

/**
 * The shell leaves a watcher behind and becomes the program. The watcher reads a pipe whose other end only this process
 * holds, so that even `kill -9` of this process ends the read, and the watcher tells the program to stop. It is forked
 * twice, so that the program, which may look after children of its own, has none that it does not know.
 */
const SCRIPT = `
signal=$1; shift
( { read -r _ <&3; kill -s "$signal" $$; } </dev/null >/dev/null 2>&1 & )
exec 3<&-
exec "$@"
`

/**
 * `spawn`, of a program that is sent `signal` when this process ends, also by `kill -9`. It has its own process group:
 * Ctrl-C reaches us. `stdio` says what its first three files are.
 */
export function spawnTied(
  signal: 'INT' | 'TERM' | 'KILL',
  command: string,
  args: readonly string[],
  { stdio, ...options }: Omit<SpawnOptions, 'stdio' | 'detached'> & { stdio: Exclude<StdioOptions, string> },
): { child: ChildProcess; lifeline: Socket } {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', signal, command, ...args], {
    ...options,
    detached: true,
    stdio: [...stdio, 'pipe'],
  })
  const lifeline = child.stdio[3] as Socket
  lifeline.on('error', () => {})
  child.once('exit', () => lifeline.destroy())
  return { child, lifeline }
}

function openLog(path: string): number {
  return openSync(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND | constants.O_NOFOLLOW,
    0o600,
  )
}

/** Starts a program that ends when this process does, and that we stop in order. */
export async function tie(command: string, args: string[], options: TieOptions): Promise<Tied> {
  const { logFile, stopSignal, account, input, graceMs = 30_000 } = options
  const log = openLog(logFile)
  const { child, lifeline } = spawnTied(stopSignal, command, args, {
    ...account,
    cwd: options.cwd ?? '/',
    env: { PATH: process.env.PATH, ...options.env },
    stdio: [input === undefined ? 'ignore' : 'pipe', log, log],
  })
  closeSync(log)
  let over = false
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      over = true
      resolve({ code, signal })
    })
  })
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  ended.catch(() => {})
  const unref = () => {
    child.unref()
    lifeline.unref()
  }
  const stop = async () => {
    child.ref()
    lifeline.destroy()
    for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
      if (await Promise.race([ended.then(() => true), sleep(graceMs, false, { ref: false })])) return
      child.kill(signal)
    }
    await ended
  }
  return { pid: child.pid ?? 0, ended, hasEnded: () => over, unref, stop, log: () => readFileSync(logFile, 'utf8') }
}
