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
  size: () => number
  /** Ends all containers. */
  close: () => Promise<void>
}

/** `startMs`: so long a container may take to start. */
export type PoolOptions = { max: number; idleMs: number; startMs?: number }

type Slot = { key: string; tenant: string; container: Container | null; isBusy: boolean; begun: number; used: number }
type Waiter = Wanted & { resolve: (lease: Lease) => void; reject: (error: Error) => void }
type State = { max: number; startMs: number; slots: Set<Slot>; waiters: Set<Waiter>; isClosed: boolean }

const unwanted = 'Nobody waits for it any more.'
const leaving = 'The executor leaves.'
/** So long a run waits for a container. */
const waitMs = 30_000

export function createPool({ max, idleMs, startMs = 90_000 }: PoolOptions): Pool {
  const state: State = { max, startMs, slots: new Set(), waiters: new Set(), isClosed: false }
  const reaper = setInterval(() => reap(state, idleMs), Math.min(5_000, idleMs / 2)).unref()
  return {
    acquire: (wanted) =>
      new Promise((resolve, reject) => {
        if (state.isClosed) return reject(new RunError('UNAVAILABLE', leaving))
        const waiter: Waiter = { ...wanted, resolve, reject }
        if (!tryServe(state, waiter)) wait(state, waiter)
      }),
    hasRoom: (key, tenant) => mayHaveMore(state, tenant) && (warm(state, key) !== undefined || hasPlace(state)),
    size: () => state.slots.size,
    async close() {
      state.isClosed = true
      clearInterval(reaper)
      const containers = [...state.slots].flatMap(({ container }) => container ?? [])
      for (const container of containers) container.kill()
      await Promise.all(containers.map(({ ended }) => ended))
    },
  }
}

/** Those that have nothing to do, the one that was used longest ago first. */
function idle({ slots }: State): Slot[] {
  return [...slots].filter((slot) => !slot.isBusy).sort((a, b) => a.used - b.used)
}

function warm(state: State, key: string): Slot | undefined {
  return idle(state).findLast((slot) => slot.key === key && slot.container?.hasEnded() === false)
}

function busyOf({ slots }: State, tenant: string): number {
  return [...slots].filter((slot) => slot.isBusy && slot.tenant === tenant).length
}

/** A run may take a quarter of an hour. Whoever has one begins another only where more are left than they have, so that several leave room, too. */
function mayHaveMore(state: State, tenant: string): boolean {
  const left = state.max - [...state.slots].filter(({ isBusy }) => isBusy).length
  const own = busyOf(state, tenant)
  return own === 0 || own < left
}

function hasPlace(state: State): boolean {
  return state.slots.size < state.max || idle(state).length > 0
}

/** Answers whether the waiter has got what it wants, or will when it has started. */
function tryServe(state: State, waiter: Waiter): boolean {
  if (!mayHaveMore(state, waiter.tenant)) return false
  const found = warm(state, waiter.key)
  if (found?.container) {
    found.isBusy = true
    waiter.resolve(lease(state, found, found.container, false))
    return true
  }
  if (!hasPlace(state)) return false
  const [oldest] = idle(state)
  if (oldest && state.slots.size >= state.max) end(state, oldest)
  begin(state, waiter)
  return true
}

function begin(state: State, { key, tenant, start, resolve, reject, signal }: Waiter): void {
  const slot: Slot = { key, tenant, container: null, isBusy: true, begun: Date.now(), used: Date.now() }
  state.slots.add(slot)
  // An engine that hangs would keep it for as long.
  signal.addEventListener('abort', () => reject(new RunError('UNAVAILABLE', unwanted)))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    free(state, slot, false)
    reject(new RunError('UNAVAILABLE', `The Docker Engine has started no container in ${state.startMs / 1000} s.`))
  }, state.startMs)
  const started = start().finally(() => clearTimeout(timer))
  started.then(
    (container) => {
      if (isLate) return container.kill()
      slot.container = container
      void container.ended.then(() => {
        state.slots.delete(slot)
        serve(state)
      })
      if (!signal.aborted && !state.isClosed) return resolve(lease(state, slot, container, true))
      free(state, slot, true)
      reject(new RunError('UNAVAILABLE', state.isClosed ? leaving : unwanted))
    },
    (error: Error) => {
      if (isLate) return
      free(state, slot, false)
      reject(error instanceof DockerError ? new RunError('UNAVAILABLE', error.message) : error)
    },
  )
}

function lease(state: State, slot: Slot, container: Container, isCold: boolean): Lease {
  return { container, isCold, release: (isReusable) => free(state, slot, isReusable) }
}

function free(state: State, slot: Slot, isReusable: boolean): void {
  slot.isBusy = false
  slot.used = Date.now()
  if (!isReusable || state.isClosed) end(state, slot)
  serve(state)
}

function end({ slots }: State, slot: Slot): void {
  slots.delete(slot)
  slot.container?.kill()
}

/** Whose tenant has least goes first. */
function serve(state: State): void {
  const order = [...state.waiters].sort((a, b) => busyOf(state, a.tenant) - busyOf(state, b.tenant))
  for (const waiter of order) if (tryServe(state, waiter)) state.waiters.delete(waiter)
}

function wait(state: State, waiter: Waiter): void {
  state.waiters.add(waiter)
  const give = (reason: string) => {
    if (state.waiters.delete(waiter)) waiter.reject(new RunError('UNAVAILABLE', reason))
  }
  setTimeout(give, waitMs, `No container was free for ${waitMs / 1000} s.`).unref()
  waiter.signal.addEventListener('abort', () => give(unwanted))
}

function reap(state: State, idleMs: number): void {
  const now = Date.now()
  for (const slot of idle(state)) if (now - slot.used > idleMs || now - slot.begun > maxAgeMs) end(state, slot)
}
