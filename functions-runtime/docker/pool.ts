/** Containers that are kept between runs. Each runs one at a time; a deployment has as many as it has runs at once. */
import { RunError } from '../engine.ts'
import { DockerError } from './api.ts'
import type { Container } from './container.ts'
import { maxAgeMs } from './leftovers.ts'

export type Lease = {
  container: Container
  /** Whether it was started for this run. */
  isCold: boolean
  /** Gives it back. One that shall not be used again is ended. */
  release: (isReusable: boolean) => void
}

/** `key` names what is the same for all runs of a container: the deployment, and its walls. */
export type Wanted = { key: string; tenant: string; start: () => Promise<Container>; signal: AbortSignal }

export type Pool = {
  acquire: (wanted: Wanted) => Promise<Lease>
  /** Whether a run would not have to wait. */
  hasRoom: (key: string, tenant: string) => boolean
  /** Ends all containers. */
  close: () => Promise<void>
}

export type PoolOptions = { max: number; idleMs: number }

type Slot = { key: string; tenant: string; container: Container | null; isBusy: boolean; begun: number; used: number }
type Waiter = Wanted & { resolve: (lease: Lease) => void; reject: (error: Error) => void }

/** So long a run waits for a container. */
const waitMs = 30_000

export function createPool({ max, idleMs }: PoolOptions): Pool {
  // No tenant holds everything: there is always room for another one.
  const perTenant = Math.max(1, Math.ceil(max * 0.75))
  const slots = new Set<Slot>()
  let waiters: Waiter[] = []
  let isClosed = false

  const idle = () => [...slots].filter((slot) => !slot.isBusy).sort((a, b) => a.used - b.used)
  const busyOf = (tenant: string) => [...slots].filter((slot) => slot.isBusy && slot.tenant === tenant).length
  const warm = (key: string) => idle().findLast((slot) => slot.key === key && slot.container?.hasEnded() === false)

  const end = (slot: Slot) => {
    slots.delete(slot)
    slot.container?.kill()
  }
  const free = (slot: Slot, isReusable: boolean) => {
    slot.isBusy = false
    slot.used = Date.now()
    if (!isReusable || isClosed) end(slot)
    serve()
  }
  const lease = (slot: Slot, container: Container, isCold: boolean): Lease => {
    let isHeld = true
    const release = (isReusable: boolean) => {
      if (isHeld) free(slot, isReusable)
      isHeld = false
    }
    return { container, isCold, release }
  }

  function begin({ key, tenant, start, resolve, reject, signal }: Waiter): void {
    const slot: Slot = { key, tenant, container: null, isBusy: true, begun: Date.now(), used: Date.now() }
    slots.add(slot)
    start().then(
      (container) => {
        slot.container = container
        void container.ended.then(() => {
          slots.delete(slot)
          serve()
        })
        if (signal.aborted || isClosed) free(slot, !isClosed)
        else resolve(lease(slot, container, true))
      },
      (error: Error) => {
        free(slot, false)
        reject(error instanceof DockerError ? new RunError('UNAVAILABLE', error.message) : error)
      },
    )
  }

  /** Answers whether the waiter has got what it wants, or waits for it to start. */
  function tryServe(waiter: Waiter): boolean {
    const found = warm(waiter.key)
    if (found?.container) {
      found.isBusy = true
      waiter.resolve(lease(found, found.container, false))
      return true
    }
    if (busyOf(waiter.tenant) >= perTenant) return false
    if (slots.size >= max) {
      const [oldest] = idle()
      if (!oldest) return false
      end(oldest)
    }
    begin(waiter)
    return true
  }

  /** Whose tenant has least goes first. */
  function serve(): void {
    const order = [...waiters].sort((a, b) => busyOf(a.tenant) - busyOf(b.tenant))
    for (const waiter of order) if (tryServe(waiter)) waiters = waiters.filter((other) => other !== waiter)
  }

  const reaper = setInterval(
    () => {
      const now = Date.now()
      for (const slot of idle()) if (now - slot.used > idleMs || now - slot.begun > maxAgeMs) end(slot)
    },
    Math.min(5_000, idleMs / 2),
  ).unref()

  return {
    acquire: (wanted) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new RunError('UNAVAILABLE', 'The executor leaves.'))
        const waiter: Waiter = { ...wanted, resolve, reject }
        if (tryServe(waiter)) return
        const give = (reason: string) => {
          if (!waiters.includes(waiter)) return
          waiters = waiters.filter((other) => other !== waiter)
          reject(new RunError('UNAVAILABLE', reason))
        }
        waiters.push(waiter)
        setTimeout(give, waitMs, `No container was free for ${waitMs / 1000} s.`).unref()
        wanted.signal.addEventListener('abort', () => give('Nobody waits for it any more.'))
      }),
    hasRoom: (key, tenant) =>
      warm(key) !== undefined || (busyOf(tenant) < perTenant && (slots.size < max || idle().length > 0)),
    async close() {
      isClosed = true
      clearInterval(reaper)
      const containers = [...slots].flatMap(({ container }) => container ?? [])
      for (const container of containers) container.kill()
      await Promise.all(containers.map(({ ended }) => ended))
    },
  }
}
