import type { Log as Logger } from '../platform/log.ts'
import type { Pubsub } from '../platform/pubsub.ts'
import { isNumber, type Log } from './log.ts'

type Options = {
  source: Log
  pubsub: Pubsub
  log: Logger
  channel: string
  projectIds: () => readonly string[]
  onHead: (projectId: string, seq: bigint) => void
}

export type Heads = {
  /** Asks the log how far these projects have come. */
  check: (projectIds: readonly string[]) => Promise<void>
  /** Resolves once the heartbeat is heard. */
  ready: Promise<void>
  close: () => void
}

/** The relay speaks four times a second. After this silence the log itself is asked, every `pollMs`. */
const silenceMs = 1_000
const pollMs = 500

/**
 * Tells how far each project has come: by the relay's heartbeat, which shows that a message was lost even when no other
 * follows it, and by SQL while Redis or the relay is away.
 */
export function watchHeads({ source, pubsub, log, channel, projectIds, onHead }: Options): Heads {
  let heardAt = Date.now()
  let polling = false
  /** What was to be asked and could not be: the heartbeat does not name for long what moved. */
  let owed = false

  const check = async (ids: readonly string[]) => {
    if (ids.length > 0) for (const [id, seq] of await source.heads(ids)) onHead(id, seq)
  }
  const poll = async () => {
    if (polling) return
    polling = true
    owed = false
    try {
      await check(projectIds())
    } catch (error) {
      owed = true
      log.warn({ err: error }, 'the heads could not be read')
    }
    polling = false
  }
  const heartbeat = pubsub.subscribe(channel, (message) => {
    heardAt = Date.now()
    for (const [id, seq] of Object.entries(message ?? {})) if (isNumber(seq)) onHead(id, BigInt(seq))
  })
  const timer = setInterval(() => {
    if (owed || !pubsub.isConnected() || Date.now() - heardAt > silenceMs) void poll()
  }, pollMs)
  timer.unref()
  pubsub.onReconnect(() => {
    // One that is under way may have begun before.
    if (polling) owed = true
    else void poll()
  })
  const close = () => {
    clearInterval(timer)
    heartbeat.close()
  }
  return { check, ready: heartbeat.ready, close }
}
