import { LRUCache } from 'lru-cache'
import type { PrepareFrame } from '../../../functions-runtime/protocol.ts'
import { rankFor, stateOf, whyNot } from './choose.ts'
import { giveArtefact, type Link } from './link.ts'

/** What will be run in a moment, if its executor does not have it at hand. */
export type PrepareCall = Omit<PrepareFrame, 'kind' | 'id' | 'isSent'> & {
  /** The artefact where it is small and was read already, to be sent unasked; null where it was not. */
  foreseen: () => Promise<Buffer | null> | null
}

/** For so long after it was used a program is taken for ready; an executor keeps an idle process for longer. */
const readyMs = 5 * 60_000

/** Tells executors what will be run in a moment. */
export type Preparing = {
  prepare: (call: PrepareCall) => void
}

export function createPreparing(links: readonly Link[]): Preparing {
  /** When programs were used last, for each instance of an executor: one that was started anew has nothing at hand. */
  const used = new LRUCache<string, number>({ max: 10_000 })
  let count = 0

  return {
    prepare(call) {
      const { functionId, program, limits, tenant } = call
      const [link] = rankFor(
        tenant,
        links.filter((one) => isInIsolates(one, program.runtime)),
      )
      const welcome = link?.welcome()
      if (!link || !welcome?.prepares) return
      const key = `${welcome.instance} ${functionId} ${program.artefact} ${limits.memoryMb} ${limits.isTrusted}`
      const now = Date.now()
      const at = used.get(key)
      used.set(key, now)
      if (at !== undefined && now - at < readyMs) return
      const code = call.foreseen()
      link.send({ kind: 'prepare', id: `p${++count}`, tenant, functionId, program, limits, isSent: code !== null })
      if (code) void giveArtefact(link, program.artefact, () => code)
    },
  }
}

/** Images of Docker are not read in a moment. */
function isInIsolates(link: Link, runtime: string): boolean {
  return stateOf(link, runtime)?.engine === 'isolate' && whyNot(link, runtime) === null
}
