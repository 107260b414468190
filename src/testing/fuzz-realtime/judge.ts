/** Compares what came with what the query path says is due. It knows nothing of how deliveries are decided. */
import { isDeepStrictEqual } from 'node:util'
import { restrictedFields } from './collections.ts'
import type { Delivery } from './listener.ts'
import type { Subscription } from './subscriptions.ts'
import type { Node, Rows } from './views.ts'

/** Rows before and after a burst: all there were, and, for each of the rights that may decide, those of the subscription. */
export type Evidence = {
  all: { before: Rows; after: Rows }
  views: readonly { before: Rows; after: Rows }[]
  /** Whether the subscriber may read a restricted field under any of those rights. */
  mayReadField: (field: string) => boolean
}

/** `kinds` are those of what came as it should; `withheld` counts the changes that were not to be told. */
export type Verdict = { kinds: string[]; withheld: number; extra: string[]; missing: string[] }

type Due = { kind: string; node: Node | null } | null

export function judge({ collection }: Subscription, evidence: Evidence, deliveries: readonly Delivery[]): Verdict {
  const verdict: Verdict = { kinds: [], withheld: 0, extra: [], missing: [] }
  const left = Map.groupBy(deliveries, ({ id }) => id)
  for (const id of changedIds(evidence.all)) {
    const [first, ...more] = left.get(id) ?? []
    left.delete(id)
    const due = evidence.views.map((view) => dueOf(id, evidence.all, view))
    if (first) verdict.kinds.push(first.kind)
    else if (due.every((one) => one === null)) verdict.withheld += 1
    else if (due.every((one) => one !== null)) verdict.missing.push(`${id}: ${JSON.stringify(due)}`)
    const wrong = first && (whatIsWrong(first, due) ?? wrongFields(first, evidence, restrictedFields[collection]))
    if (wrong) verdict.extra.push(`${wrong}: ${JSON.stringify(first)}; due: ${JSON.stringify(due)}`)
    for (const one of more) verdict.extra.push(`a second time: ${JSON.stringify(one)}`)
  }
  for (const one of [...left.values()].flat()) verdict.extra.push(`of no change: ${JSON.stringify(one)}`)
  return verdict
}

function changedIds({ before, after }: Evidence['all']): string[] {
  const ids = new Set([...before.keys(), ...after.keys()])
  return [...ids].filter((id) => before.get(id)?.version !== after.get(id)?.version || before.has(id) !== after.has(id))
}

/** As docs/decisions/0004 has it: by whether there was and is a row, and whether it was and is the subscriber's. */
function dueOf(id: string, all: Evidence['all'], { before, after }: { before: Rows; after: Rows }): Due {
  const node = after.get(id) ?? null
  if (node) return { kind: !all.before.has(id) ? 'CREATED' : before.has(id) ? 'UPDATED' : 'ENTERED', node }
  if (!before.has(id)) return null
  return { kind: all.after.has(id) ? 'LEFT' : 'DELETED', node: null }
}

/** Rights that change while a document is read may be old for one of its fields and new for another. */
function whatIsWrong({ kind, node }: Delivery, due: readonly Due[]): string | null {
  const possible = due.filter((one) => one !== null)
  if (possible.length === 0) return 'not theirs'
  const ofKind = possible.filter((one) => one.kind === kind)
  if (ofKind.length === 0) return 'of another kind'
  if (node === null || ofKind[0]?.node === null) return ofKind.some((one) => one.node === node) ? null : 'another node'
  const keys = new Set([...Object.keys(node), ...ofKind.flatMap((one) => Object.keys(one.node ?? {}))])
  const differs = [...keys].filter((key) => !ofKind.some((one) => isDeepStrictEqual(one.node?.[key], node[key])))
  return differs.length > 0 ? `another ${differs.join(', ')}` : null
}

/** Fields that changed are all named, but those that the subscriber may not read. */
function wrongFields(
  { id, changedFields }: Delivery,
  { all, mayReadField }: Evidence,
  restricted: readonly string[],
): string | null {
  const hidden = restricted.filter((field) => !mayReadField(field))
  const told = hidden.filter((field) => changedFields.includes(field))
  if (told.length > 0) return `named ${told.join(', ')}`
  const [before, after] = [all.before.get(id), all.after.get(id)]
  if (!before || !after) return null
  const differing = Object.keys(after).filter((key) => key !== 'version' && !isDeepStrictEqual(before[key], after[key]))
  const plain = (fields: readonly string[]) => fields.filter((field) => !restricted.includes(field)).sort()
  return isDeepStrictEqual(plain(differing), plain(changedFields)) ? null : `changedFields are not ${plain(differing)}`
}
