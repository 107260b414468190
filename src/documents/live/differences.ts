/** Which document a list has, and what tells whether it differs: all that is needed of a list that is told no more. */
export type Mark = { id: string; hash: string }

/** A document of a live query: what is selected of it, by the place of the selection. */
export type LiveRow = Mark & { data: Readonly<Record<string, unknown>> }

export type LiveChange = {
  kind: 'ADDED' | 'CHANGED' | 'MOVED' | 'REMOVED'
  id: string
  /** Its place from then on; null when it is gone. */
  index: number | null
  row: LiveRow | null
}

/** What makes one list the other when it is applied in this order, each to what those before it have left. */
export function differences(before: readonly Mark[], after: readonly LiveRow[]): LiveChange[] {
  const hashes = new Map(before.map(({ id, hash }) => [id, hash]))
  const kept = new Set(after.map(({ id }) => id))
  const gone = before.filter(({ id }) => !kept.has(id))
  const list = before.map(({ id }) => id).filter((id) => kept.has(id))
  const changes: LiveChange[] = gone.map(({ id }) => ({ kind: 'REMOVED', id, index: null, row: null }))
  for (const [index, row] of after.entries()) {
    const { id } = row
    if (list[index] !== id) {
      const at = list.indexOf(id, index)
      if (at >= 0) list.splice(at, 1)
      list.splice(index, 0, id)
      changes.push({ kind: at >= 0 ? 'MOVED' : 'ADDED', id, index, row })
    }
    const hash = hashes.get(id)
    if (hash !== undefined && hash !== row.hash) changes.push({ kind: 'CHANGED', id, index, row })
  }
  return changes
}
