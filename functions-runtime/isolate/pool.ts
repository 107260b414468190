/** A process for each tenant that runs something, and one that waits for the next tenant. */
import { RunError } from '../engine.ts'
import { createCodes } from './codes.ts'
import { createCrashes, forgottenAfterMs } from './crashes.ts'
import { limits } from './messages.ts'
import { type Sandbox, startSandbox } from './process.ts'
import { sandboxCommand } from './seal.ts'
import { behind } from './session.ts'
import { createSpares } from './spares.ts'

export type Held = {
  sandbox: Sandbox
  /** What V8 has made of a program, where that is known. */
  codeOf: (program: string) => Buffer | undefined
  /** Programs whose text the process has. */
  programs: Set<string>
  runs: number
  /** Runs that wait until there is room for them. */
  waiting: (() => void)[]
  usedAt: number
}

type Options = { program: string; isSealed: boolean; memoryMb: number; maxProcesses: number }

export type Pool = {
  /** A tenant's process with room for one more run, until `release`. */
  acquire: (tenant: string, isTrusted: boolean) => Promise<Held>
  release: (held: Held) => void
  /** A tenant's process for what is no run: it takes no run's room, and none of others ends for it. Null where there is no room. */
  find: (tenant: string, isTrusted: boolean) => Promise<Held> | null
  /** Has V8 read a program for the processes that come to it later, beside everything else. */
  compile: (program: string, isTrusted: boolean, text: Buffer) => void
  close: () => void
}

/** Processes of which nobody has wanted anything for so long end. */
const idleMs = 10 * 60_000

export function createPool({ program, isSealed, memoryMb, maxProcesses }: Options): Pool {
  const tenants = new Map<string, Promise<Held>>()
  const held = new Map<string, Held>()
  const crashes = createCrashes()

  const start = (isTrusted: boolean, keepsDying = false) => {
    const command = sandboxCommand({ isSealed, isTrusted, memoryMb, keepsDying })
    return startSandbox({ command, program, memoryMb, watchesMemory: isTrusted || !isSealed })
  }
  const spares = createSpares(start)
  const codes = createCodes(start)

  async function open(key: string, isTrusted: boolean): Promise<Held> {
    await crashes.pause(key)
    const keepsDying = crashes.keepOn(key)
    const hasDied = crashes.recent(key) > 0
    const sandbox = hasDied ? lowered(start(isTrusted, keepsDying), keepsDying) : spares.take(isTrusted)
    await sandbox.ready
    const one = hold(sandbox, (program) => codes.get(program, isTrusted))
    held.set(key, one)
    void sandbox.gone.then(({ suspects, reason }) => {
      if (held.get(key) === one) forget(key)
      if (suspects.length > 0 || reason !== 'CRASHED') crashes.add(key)
      for (const look of one.waiting.splice(0)) look()
    })
    return one
  }

  function forget(key: string): void {
    held.delete(key)
    tenants.delete(key)
  }

  function end([key, { sandbox }]: [string, Held]): void {
    forget(key)
    sandbox.kill('CRASHED', [])
  }

  /** Ends the process that was idle longest; the map is in the order of use. */
  function makeRoom(): void {
    if (tenants.size < maxProcesses) return
    const idle = [...held].find(([, one]) => one.runs === 0)
    if (!idle) throw new RunError('UNAVAILABLE', 'Too many projects run functions on this executor at once.')
    end(idle)
  }

  function find(key: string, isTrusted: boolean): Promise<Held> {
    if (tenants.has(key)) return tenants.get(key) as Promise<Held>
    makeRoom()
    const opening = open(key, isTrusted)
    tenants.set(key, opening)
    opening.catch(() => tenants.delete(key))
    return opening
  }

  const reaper = startReaper(held, end)

  return {
    find(tenant, isTrusted) {
      const key = keyOf(tenant, isTrusted)
      return tenants.has(key) || tenants.size < maxProcesses ? find(key, isTrusted) : null
    },
    async acquire(tenant, isTrusted) {
      const key = keyOf(tenant, isTrusted)
      for (;;) {
        const one = await find(key, isTrusted).catch((error: Error) => {
          throw error instanceof RunError ? error : new RunError('UNAVAILABLE', error.message)
        })
        if (one.runs >= limits.runs) await room(one)
        else return use(held, key, one)
      }
    },
    compile: codes.want,
    release(one) {
      one.runs -= 1
      one.waiting.shift()?.()
    },
    close() {
      clearInterval(reaper)
      spares.close()
      codes.close()
      for (const entry of held) end(entry)
    },
  }
}

function hold(sandbox: Sandbox, codeOf: Held['codeOf']): Held {
  return { sandbox, codeOf, programs: new Set(), runs: 0, waiting: [], usedAt: Date.now() }
}

/** What has died stands behind others until that is forgotten. */
function lowered(sandbox: Sandbox, keepsDying: boolean): Sandbox {
  sandbox.stand(keepsDying ? behind.far : behind.somewhat)
  setTimeout(sandbox.stand, forgottenAfterMs, 0).unref()
  return sandbox
}

const keyOf = (tenant: string, isTrusted: boolean) => `${isTrusted} ${tenant}`

function startReaper(held: ReadonlyMap<string, Held>, end: (entry: [string, Held]) => void): NodeJS.Timeout {
  const look = () => {
    const before = Date.now() - idleMs
    for (const entry of held) if (entry[1].runs === 0 && entry[1].usedAt < before) end(entry)
  }
  return setInterval(look, 60_000).unref()
}

function use(held: Map<string, Held>, key: string, one: Held): Held {
  one.runs += 1
  one.usedAt = Date.now()
  // Used last: the order of the map is the order of use.
  if (held.delete(key)) held.set(key, one)
  return one
}

function room({ waiting }: Held): Promise<void> {
  if (waiting.length >= limits.waiting) {
    throw new RunError('UNAVAILABLE', 'Too many runs of this project wait for their turn on this executor.')
  }
  return new Promise((done) => waiting.push(done))
}
