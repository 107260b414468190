import { ResyncRequired } from '../errors.ts'
import { type Entry, hasHole, type Log } from './log.ts'
import { placeAfter } from './ring.ts'

const pageSize = 200
const most = { pages: 16, bytes: 4_000_000 }

type Page = { from: bigint; to: bigint; entries: readonly Entry[]; bytes: number }

/**
 * Reads what lies behind the ring: one page at a time, kept for a while, since those who come back after an interruption
 * come together, and from about the same place. Throws ResyncRequired where the log no longer holds what follows.
 */
export function createPages(source: Log, projectId: string): (after: bigint) => Promise<readonly Entry[]> {
  let kept: Page[] = []
  let reading: Promise<void> | null = null

  const readPage = async (from: bigint) => {
    const entries = await source.page(projectId, from, pageSize)
    if (hasHole(entries, from)) throw new ResyncRequired('Events after this cursor are no longer in the log.')
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    kept = bounded([{ from, to: entries.at(-1)?.event.seq ?? from, entries, bytes }, ...kept])
  }
  return async (after) => {
    for (;;) {
      const known = kept.find(({ from, to }) => from <= after && after < to)
      if (known) return known.entries.slice(placeAfter(known.entries, after))
      if (reading) await reading.catch(() => {})
      else {
        reading = readPage(after).finally(() => {
          reading = null
        })
        await reading
      }
    }
  }
}

function bounded(pages: readonly Page[]): Page[] {
  let bytes = 0
  return pages.slice(0, most.pages).filter((page, i) => {
    bytes += page.bytes
    return i === 0 || bytes <= most.bytes
  })
}
