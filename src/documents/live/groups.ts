import type { Context } from '../../context.ts'
import { translate } from '../faults.ts'
import type { LiveRow } from './differences.ts'

/** What a statement answers: equal texts and values, equal answers, whoever asks. */
export type LiveStatement = { text: string; values: readonly unknown[] }

/** An answer, and how far the log had come before it was read: everything up to there is in it. */
export type Evaluated = { rows: readonly LiveRow[]; through: bigint }

/** All on this node who ask for the same and may read the same. */
export type Group = {
  key: string
  /** The answer with everything in it that was logged up to `seq`: read once for all who ask meanwhile. */
  at: (seq: bigint) => Promise<Evaluated>
  leave: () => void
}

type Services = Pick<Context, 'tails' | 'shares' | 'sql' | 'projectId'>
type Held = { at: Group['at']; members: number }

const nodes = new WeakMap<Services['tails'], Map<string, Held>>()

export function groupKey({ projectId }: Pick<Context, 'projectId'>, { text, values }: LiveStatement): string {
  return JSON.stringify([projectId, text, values])
}

export function joinGroup(services: Services, statement: LiveStatement): Group {
  const groups = nodes.get(services.tails) ?? new Map<string, Held>()
  nodes.set(services.tails, groups)
  const key = groupKey(services, statement)
  const held = groups.get(key) ?? { at: createEvaluation(services, statement), members: 0 }
  groups.set(key, held)
  held.members += 1
  let left = false
  const leave = () => {
    if (left) return
    left = true
    held.members -= 1
    if (held.members === 0) groups.delete(key)
  }
  return { key, at: held.at, leave }
}

function createEvaluation({ tails, shares, sql, projectId }: Services, { text, values }: LiveStatement): Group['at'] {
  let last: Evaluated | null = null
  let running: Promise<Evaluated> | null = null

  /** The place in the log first: what is committed between the two is in the answer, and comes again as an event. */
  const evaluate = async () => {
    const through = await tails.head(projectId)
    const { rows } = await shares
      .run(projectId, () => sql.query<{ answer: string }>(text, [...values]))
      .catch((error: unknown) => {
        throw translate(error, null)
      })
    const answer = rowsOf(JSON.parse(rows[0]?.answer ?? '{}'))
    last = { rows: last && isSame(last.rows, answer) ? last.rows : answer, through }
    return last
  }
  return async (seq) => {
    while (last === null || last.through < seq) {
      running ??= evaluate().finally(() => {
        running = null
      })
      await running
    }
    return last
  }
}

/** The statement answers one list for each selection, and the ids. */
function rowsOf({ '#ids': ids = [], ...lists }: Record<string, Record<string, unknown>[]>): LiveRow[] {
  return ids.map(({ id }, i) => {
    const data = Object.fromEntries(Object.entries(lists).map(([place, list]) => [place, list[i]]))
    return { id: String(id), text: JSON.stringify(data), data }
  })
}

function isSame(before: readonly LiveRow[], after: readonly LiveRow[]): boolean {
  return (
    before.length === after.length && before.every(({ id, text }, i) => id === after[i]?.id && text === after[i].text)
  )
}
