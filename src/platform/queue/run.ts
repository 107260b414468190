import type { Job as AgendaJob } from 'agenda'
import type { Pool } from 'pg'
import type { Log } from '../log.ts'
import { endAttempt, type Lease, renewLease, type Start, startAttempt } from './attempts.ts'
import type { Again, GiveUp, JobKind, Run, Store, Stored } from './kinds.ts'
import type { Session } from './session.ts'

export type Runner = {
  sql: Pool
  store: Pick<Store, 'touch'>
  log: Log
  /** How long a run that is not heard of keeps its job. Shorter than Agenda's lock, so that whoever takes over may start. */
  leaseMs: number
  touchEveryMs: number
  session: Session
  /** Fires when the process can wait for its jobs no longer. */
  closing: AbortSignal
  /** Leases that were taken before Agenda ran the job. */
  given: WeakMap<AgendaJob<Stored>, Held>
}

/** Why a run ends whose job another process may have taken. */
export const lost = new Error('Somebody else runs this job now.')

/** A lease, and what fires when the process can no longer vouch for it. */
export type Held = { lease: Lease; ended: AbortSignal | null }

/** Makes an implementation safe to hand to Agenda: attempts row, lease, abort signal, quarantine, retries. */
export function runnerOf(runner: Runner, kind: JobKind, run: Run, giveUp: GiveUp) {
  return async (agendaJob: AgendaJob<Stored>): Promise<void> => {
    const { key, data, trace = null } = agendaJob.attrs.data
    const start = await startOf(runner, agendaJob)
    if (start.kind === 'busy') {
      agendaJob.attrs.nextRunAt = soon(runner.leaseMs / 8)
      return
    }
    if (start.kind === 'done') return
    if (start.kind === 'quarantined') {
      runner.log.error(
        { job: `${kind.name}:${key}` },
        'a job is in quarantine: it was started again and again and never ended',
      )
      await giveUp({ key, data }, 'It was started again and again and never ended.')
      return
    }
    const heart = keepAlive(runner, agendaJob, start)
    try {
      const again = await run({ key, data, signal: heart.signal, trace })
      await heart.stop()
      await endAttempt(runner.sql, start.lease, { outcome: again ? 'AGAIN' : 'SUCCEEDED' })
      planAgain(agendaJob, again)
    } catch (error) {
      await heart.stop()
      await failed(runner, { agendaJob, lease: start.lease, kind, giveUp, signal: heart.signal, error })
    }
  }
}

type Begun = ({ kind: 'started' } & Held) | Exclude<Start, { kind: 'started' }>

/** The lease under which the job was taken in hand, or one of its own. */
async function startOf(runner: Runner, agendaJob: AgendaJob<Stored>): Promise<Begun> {
  const given = runner.given.get(agendaJob)
  if (given) return { kind: 'started', ...given }
  const { name, failCount, data: stored } = agendaJob.attrs
  const { key, data, projectId = null } = stored
  const { session } = runner
  // Before the row is written: once the session ends, the row is anybody's.
  const { worker, ended } = { worker: session.isHeld() ? session.worker : null, ended: session.signal() }
  const claim = { job: `${name}:${key}`, projectId, data, worker, attempt: (failCount ?? 0) + 1 }
  const start = await startAttempt(runner.sql, claim, runner.leaseMs)
  return start.kind === 'started' ? { ...start, ended: worker === null ? null : ended } : start
}

type Failure = {
  agendaJob: AgendaJob<Stored>
  lease: Lease
  kind: JobKind
  giveUp: GiveUp
  signal: AbortSignal
  error: unknown
}

/** Throws again what Agenda shall count as a failure; a run that was called off is none. */
async function failed(runner: Runner, { agendaJob, lease, kind, giveUp, signal, error }: Failure): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error)
  if (signal.aborted) {
    if (signal.reason !== lost) await endAttempt(runner.sql, lease, { outcome: 'CANCELLED' })
    planAgain(agendaJob, { again: soon(signal.reason === lost ? runner.leaseMs / 8 : 0) })
    return
  }
  const isLast = (agendaJob.attrs.failCount ?? 0) >= kind.retryAfterMs.length
  runner.log.warn({ job: lease.job, err: error, givenUp: isLast }, 'a job failed')
  if (isLast) await giveUp(agendaJob.attrs.data, reason)
  await endAttempt(runner.sql, lease, { outcome: 'FAILED', error: reason, givenUp: isLast })
  throw error
}

function planAgain(agendaJob: AgendaJob<Stored>, again: Again | undefined): void {
  // Agenda saves it when the run has ended.
  if (again) agendaJob.attrs.nextRunAt = again.again
}

/** Holds Agenda's lock and the lease while the run works; tells it through the signal when either is lost. */
function keepAlive(runner: Runner, agendaJob: AgendaJob<Stored>, { lease, ended }: Held) {
  const abort = new AbortController()
  let heard = performance.now()
  let isOver = false
  let renewing: Promise<unknown> = Promise.resolve()
  const beat = async () => {
    if (isOver) return
    try {
      const renewed = renewLease(runner.sql, lease)
      renewing = renewed.catch(() => {})
      if (!(await renewed)) return abort.abort(lost)
      await runner.store.touch(String(agendaJob.attrs._id))
      heard = performance.now()
      // Agenda takes a run for dead whose lock has ended.
      if (!isOver) agendaJob.attrs.lockedAt = new Date()
    } catch {
      if (performance.now() - heard > runner.leaseMs) abort.abort(lost)
    }
  }
  let beating = Promise.resolve()
  const timer = setInterval(() => {
    if (!abort.signal.aborted) beating = beating.then(beat)
  }, runner.touchEveryMs)
  const stop = async () => {
    clearInterval(timer)
    isOver = true
    // How the run ended is written for the lease as it is. A touch that is late finds no lock.
    await renewing
  }
  return { signal: AbortSignal.any([abort.signal, runner.closing, ...(ended ? [ended] : [])]), stop }
}

function soon(ms: number): Date {
  return new Date(Date.now() + ms)
}
