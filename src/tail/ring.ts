import type { Entry } from './log.ts'

/** The last events of a project without a gap, so that whoever resumes needs no SQL. */
export type Ring = {
  /** The seq up to which it holds everything. */
  last: () => bigint
  append: (entry: Entry) => void
  /** Whether it holds every event after this seq. */
  covers: (seq: bigint) => boolean
  /** The first of the events after a seq that it covers. */
  after: (seq: bigint, limit: number) => readonly Entry[]
}

export function createRing(start: bigint, limits: { items: number; bytes: number }): Ring {
  const entries: Entry[] = []
  let bytes = 0
  let begin = start
  let last = start

  const append = (entry: Entry) => {
    entries.push(entry)
    bytes += entry.bytes
    last = entry.event.seq
    while (entries.length > limits.items || bytes > limits.bytes) {
      const oldest = entries.shift()
      if (!oldest) break
      bytes -= oldest.bytes
      begin = oldest.event.seq
    }
  }
  const after = (seq: bigint, limit: number) => {
    const from = placeAfter(entries, seq)
    return entries.slice(from, from + limit)
  }
  return { last: () => last, append, covers: (seq) => seq >= begin && seq <= last, after }
}

/** The index of the first entry after a seq. */
export function placeAfter(entries: readonly Entry[], seq: bigint): number {
  let low = 0
  for (let high = entries.length; low < high; ) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.event.seq ?? 0n) <= seq) low = middle + 1
    else high = middle
  }
  return low
}
