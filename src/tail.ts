import type { LoggedEvent } from './event.ts'

/** The node's readers of the event log: one for each project that somebody here listens to. */
export type Tails = {
  /**
   * A project's events in the order of the log, each once, from the one after `after` on (null: from now on). By the time
   * the promise resolves nothing that is committed later can be missed. `return()` leaves. Throws ResyncRequired when
   * `after` is no longer in the log.
   */
  listen: (projectId: string, after: bigint | null) => Promise<AsyncIterableIterator<LoggedEvent>>
  close: () => Promise<void>
}
