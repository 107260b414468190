import type { Pool } from 'pg'
import type { Log } from '../log.ts'
import type { Store } from './kinds.ts'
import { isGone } from './session.ts'

/** What Agenda writes into the jobs that this process locks. */
export const lockerOf = (worker: number) => `worker-${worker}`

const everyMs = 1_000

type Options = {
  sql: Pool
  store: Store
  log: Log
  /** Called when jobs have been released. */
  tell: () => void
}

/** Takes Agenda's locks off the jobs of processes that have died, which would else lie idle for as long as a lock lasts. */
export function startReleasing({ sql, store, log, tell }: Options) {
  const look = async () => {
    const { rows } = await sql.query<{ worker: number }>(
      `select distinct worker from job_attempts a where attempts > 0 and ${isGone('a.worker')}`,
    )
    for (const { worker } of rows) {
      log.info({ worker }, 'a process with jobs is gone; others take them over')
      await store.release(lockerOf(worker))
      // A job that it did not come to put down in the store is nobody's; it must not be found here every second.
      await sql.query(
        `update job_attempts set worker = null, at = at - interval '1 hour' where worker = $1 and attempts > 0`,
        [worker],
      )
    }
    if (rows.length > 0) tell()
  }
  let looking: Promise<void> | null = null
  const timer = setInterval(() => {
    looking ??= look()
      .catch((error: unknown) => log.debug({ err: error }, 'jobs of dead processes wait for their locks to end'))
      .finally(() => (looking = null))
  }, everyMs)
  return {
    // A look that is under way is not waited for: the store may take long, and who is left looks again.
    stop: () => clearInterval(timer),
  }
}
