import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api.ts'
import { Refused } from '../api.ts'
import { subscribe } from '../events.ts'

export type Execution = {
  id: string
  functionId: string
  status: string
  trigger: string
  attempts: number
  method: string
  path: string
  responseStatus: number | null
  failure: string | null
  error: string | null
  logs: { at: string; level: string; text: string }[]
  durationMs: number | null
  isCold: boolean | null
  scheduledAt: string | null
  createdAt: string
}

const fields = `id functionId status trigger attempts method path responseStatus failure error logs { at level text }
  durationMs isCold scheduledAt createdAt`

/** The last executions of a function, oldest first. */
export async function lastExecutions({ request }: Api, functionId: string, count: number): Promise<Execution[]> {
  const { executions } = await request<{ executions: { nodes: Execution[] } }>(
    `query ($functionId: ID!, $count: Int!) { executions(where: { functionId: $functionId }, first: $count) { nodes { ${fields} } } }`,
    { functionId, count },
  )
  return executions.nodes.reverse()
}

const changed = `subscription ($after: String) { executionChanged(after: $after) { cursor event node { ${fields} } } }`

type Changed = { executionChanged: { cursor: string; event: string; node: Execution | null } }

/** The most that one query lists. */
export const mostListed = 100
/** So many states are remembered, not to tell them twice. */
const mostKnown = 10_000

/**
 * The last executions, and then each whose try failed or that has ended, for ever. A stream that breaks goes on behind what was
 * told last; where there is no such place, or it is too long ago, with those that are newer than the newest that was told. Each
 * state of each is told once.
 */
export async function* followExecutions(api: Api, functionId: string, count: number): AsyncGenerator<Execution> {
  const told = new Set<string>()
  /** Ids sort by the time they were made. */
  let newest: string | null = null
  const isNew = ({ id, status, attempts, scheduledAt }: Execution) => {
    const state = `${id} ${status} ${attempts} ${scheduledAt}`
    if (told.has(state)) return false
    told.add(state)
    if (told.size > mostKnown) for (const oldest of [...told].slice(0, mostKnown / 2)) told.delete(oldest)
    if (newest === null || id > newest) newest = id
    return true
  }
  /** The last ones at first, and what has come since, once there was a beginning. */
  const missed = async () => {
    const begun: string | null = newest
    const found = await lastExecutions(api, functionId, begun === null ? count : mostListed)
    const some = found.filter(({ id }) => begun === null || id > begun)
    newest ??= some.at(-1)?.id ?? ''
    return some.filter(isNew)
  }
  let after: string | null = null
  for (let broken = 0; ; broken += 1) {
    const { promise: opened, resolve: onOpen } = Promise.withResolvers<true>()
    try {
      const stream: AsyncGenerator<Changed> = subscribe<Changed>(api, changed, { after }, () => onOpen(true))
      const first = stream.next()
      const isOpen = await Promise.race([opened, first.then(() => false)])
      // It is open before the last ones are read, so that none is missed in between.
      if (isOpen && after === null) yield* await missed()
      for (let step = await first; !step.done; step = await stream.next()) {
        const { cursor, event, node } = step.value.executionChanged
        after = cursor
        broken = 0
        const isOfIt = event.startsWith(`functions.${functionId}.`) && !event.endsWith('.created')
        if (isOfIt && node && isNew(node)) yield node
      }
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'RESYNC_REQUIRED')) throw error
      after = null
    }
    await sleep(Math.min(200 * 2 ** broken, 5_000))
  }
}
