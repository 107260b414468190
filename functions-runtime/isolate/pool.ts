/** A process for each tenant that runs something, and one that waits for the next tenant. */
import { RunError } from '../engine.ts'
import { createCrashes } from './crashes.ts'
import { type Sandbox, startSandbox } from './process.ts'
import { sandboxCommand } from './seal.ts'

export type Held = {
  sandbox: Sandbox
  /** Programs whose text the process has. */
  programs: Set<string>
  runs: number
}

type Options = { program: string; isSealed: boolean; memoryMb: number; maxProcesses: number }

export type Pool = {
  /** A tenant's process; its `runs` counts the caller's too, until `release`. */
  acquire: (tenant: string, isTrusted: boolean) => Promise<Held>
  release: (held: Held) => void
  close: () => void
}

/** A new spare is started a little later, so that it does not take the processor from the run that took the old one. */
const spareAfterMs = 60

export function createPool({ program, isSealed, memoryMb, maxProcesses }: Options): Pool {
  const tenants = new Map<string, Promise<Held>>()
  const held = new Map<string, Held>()
  const spares = new Map<boolean, Sandbox>()
  const crashes = createCrashes()
  let isClosed = false

  const start = (isTrusted: boolean) => {
    const command = sandboxCommand({ isSealed, isTrusted, memoryMb })
    return startSandbox({ command, program, memoryMb, watchesMemory: isTrusted || !isSealed })
  }

  function prepareSpare(isTrusted: boolean): void {
    if (isClosed || spares.has(isTrusted)) return
    const sandbox = start(isTrusted)
    spares.set(isTrusted, sandbox)
    void sandbox.gone.then(() => {
      if (spares.get(isTrusted) === sandbox) spares.delete(isTrusted)
    })
  }

  function takeSpare(isTrusted: boolean): Sandbox {
    const spare = spares.get(isTrusted)
    spares.delete(isTrusted)
    setTimeout(prepareSpare, spareAfterMs, isTrusted).unref()
    return spare ?? start(isTrusted)
  }

  async function open(key: string, isTrusted: boolean): Promise<Held> {
    await crashes.pause(key)
    const sandbox = crashes.recent(key) > 0 ? start(isTrusted) : takeSpare(isTrusted)
    await sandbox.ready
    const one: Held = { sandbox, programs: new Set(), runs: 0 }
    held.set(key, one)
    void sandbox.gone.then(({ suspects, reason }) => {
      if (held.get(key) === one) forget(key)
      if (suspects.length > 0 || reason !== 'CRASHED') crashes.add(key)
    })
    return one
  }

  function forget(key: string): void {
    held.delete(key)
    tenants.delete(key)
  }

  /** Ends the process that was idle longest; the map is in the order of use. */
  function makeRoom(): void {
    if (tenants.size < maxProcesses) return
    const idle = [...held].find(([, one]) => one.runs === 0)
    if (!idle) throw new RunError('UNAVAILABLE', 'Too many projects run functions on this executor at once.')
    forget(idle[0])
    idle[1].sandbox.kill('CRASHED', [])
  }

  prepareSpare(false)
  return {
    async acquire(tenant, isTrusted) {
      const key = `${isTrusted} ${tenant}`
      let opening = tenants.get(key)
      if (!opening) {
        makeRoom()
        opening = open(key, isTrusted)
        tenants.set(key, opening)
        opening.catch(() => tenants.delete(key))
      }
      const one = await opening.catch((error: Error) => {
        throw new RunError('UNAVAILABLE', error.message)
      })
      one.runs += 1
      // Used last: the order of the map is the order of use.
      if (held.delete(key)) held.set(key, one)
      return one
    },
    release(one) {
      one.runs -= 1
    },
    close() {
      isClosed = true
      for (const sandbox of [...spares.values(), ...[...held.values()].map((one) => one.sandbox)])
        sandbox.kill('CRASHED', [])
    },
  }
}
