import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'

/**
 * Which roles can read a good part of a collection's documents through the documents' own permissions, by PostgreSQL's
 * statistics. A prepared statement is planned without its caller's roles, and PostgreSQL takes for granted that hardly
 * any document fits: measured on 10,000 posts of which all could be read, its index of readers made a list of 20 seven
 * times slower than reading on along the list's own index. So there are two texts, and this tells which one fits.
 */
export type Readers = {
  /** Whether a caller of these roles reads a good part of a table's documents. False while it is not known. */
  many: (table: string, roles: readonly string[] | null) => boolean
}

/** A part of all documents that is worth to be looked for one by one. */
const part = 0.05
const most = 10_000
const keptMs = 60_000

const query = `
  select coalesce(array_agg(element) filter (where frequency >= ${part}), '{}') as roles
  from pg_stats, unnest(most_common_elems::text::text[], most_common_elem_freqs) as common (element, frequency)
  where attname = '_read' and format('"%s"."%s"', schemaname, tablename) = $1 and element is not null
    and schemaname = split_part($1, '"', 2)`

export function createReaders(sql: Pool): Readers {
  const common = new LRUCache<string, ReadonlySet<string>>({ max: most })
  const read = new LRUCache<string, true>({ max: most, ttl: keptMs })

  const refresh = async (table: string) => {
    read.set(table, true)
    const { rows } = await sql.query<{ roles: string[] }>(query, [table])
    common.set(table, new Set(rows[0]?.roles))
  }
  const many = (table: string, roles: readonly string[] | null) => {
    // It may be old, or not there yet: the answer is the same, only slower.
    if (!read.has(table)) refresh(table).catch(() => {})
    const found = common.get(table)
    return roles !== null && found !== undefined && roles.some((role) => found.has(role))
  }
  return { many }
}
