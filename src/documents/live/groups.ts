import { hash } from 'node:crypto'
import type { Context } from '../../context.ts'
import { LimitExceeded } from '../../errors.ts'
import { translate } from '../faults.ts'
import type { LiveRow, Mark } from './differences.ts'

/** What a statement answers: equal texts and values, equal answers, whoever asks. */
export type LiveStatement = { text: string; values: readonly unknown[] }

/** An answer, and how far the log had come before it was read: everything up to there is in it. */
export type Evaluated = { rows: readonly LiveRow[]; marks: readonly Mark[]; through: bigint }

/** All on this node who ask for the same and may read the same. */
export type Group = {
  key: string
  /** The answer with everything in it that was logged up to `seq`: read once for all who ask meanwhile. */
  at: (seq: bigint) => Promise<Evaluated>
  leave: () => void
}

type Services = Pick<Context, 'tails' | 'shares' | 'sql' | 'projectId'>
type Held = { at: Group['at']; members: number; bytes: number }

/** Most bytes of the lists that the live queries of a project hold on one node. */
export const liveBytes = 50_000_000

/** The groups of a node by their keys, and the bytes of their lists by project. */
type Node = { groups: Map<string, Held>; bytes: Map<string, number> }

const nodes = new WeakMap<Services['tails'], Node>()

export function groupKey({ projectId }: Pick<Context, 'projectId'>, { text, values }: LiveStatement): string {
  return JSON.stringify([projectId, text, values])
}

export function joinGroup(services: Services, statement: LiveStatement): Group {
  const node = nodes.get(services.tails) ?? { groups: new Map(), bytes: new Map() }
  nodes.set(services.tails, node)
  const { groups } = node
  const key = groupKey(services, statement)
  const held = groups.get(key) ?? createHeld(node, services, statement)
  groups.set(key, held)
  held.members += 1
  let left = false
  const leave = () => {
    if (left) return
    left = true
    held.members -= 1
    if (held.members > 0) return
    groups.delete(key)
    weigh(node, services, held, 0)
  }
  return { key, at: held.at, leave }
}

function createHeld(node: Node, services: Services, statement: LiveStatement): Held {
  const at = createEvaluation(services, statement, (bytes) => weigh(node, services, held, bytes))
  const held: Held = { at, members: 0, bytes: 0 }
  return held
}

/** Notes how large the list of a group is. Throws where that is too much beside the others of its project. */
function weigh({ bytes: sums }: Node, { projectId }: Services, held: Held, bytes: number): void {
  const others = (sums.get(projectId) ?? 0) - held.bytes
  // Everybody may have left while it was read.
  const own = held.members === 0 ? 0 : bytes
  if (own > 0 && others + own > liveBytes) {
    const most = liveBytes.toLocaleString('en')
    throw new LimitExceeded(`The lists of a project's live queries have at most ${most} bytes: ask for less of each.`)
  }
  held.bytes = own
  if (others + own > 0) sums.set(projectId, others + own)
  else sums.delete(projectId)
}

function createEvaluation(
  { tails, shares, sql, projectId }: Services,
  { text, values }: LiveStatement,
  hold: (bytes: number) => void,
): Group['at'] {
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
    const list = rows[0]?.answer ?? '{}'
    hold(Buffer.byteLength(list))
    const answer = rowsOf(JSON.parse(list))
    if (last && isSame(last.marks, answer)) last = { ...last, through }
    else last = { rows: answer, marks: answer.map(({ id, hash }) => ({ id, hash })), through }
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
    return { id: String(id), hash: hash('sha256', JSON.stringify(data), 'base64url'), data }
  })
}

function isSame(before: readonly Mark[], after: readonly Mark[]): boolean {
  return (
    before.length === after.length && before.every(({ id, hash }, i) => id === after[i]?.id && hash === after[i].hash)
  )
}
