import pg from 'pg'

/** What a node sends by its own clock: its looks at the log, what was used, and what is common in large tables. */
const itsOwn = /^\s*(?:select|with waiting as) .*events\.|insert into usage|from pg_stats/s

/** Counts what really goes to PostgreSQL meanwhile, but for that. */
export async function statements<T>(work: () => Promise<T>): Promise<{ result: T; texts: string[] }> {
  const texts: string[] = []
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [first] = args
    const text = typeof first === 'string' ? first : (first as { text: string }).text
    if (!itsOwn.test(text)) texts.push(text)
    return Reflect.apply(query, this, args)
  } as typeof query
  try {
    return { result: await work(), texts }
  } finally {
    pg.Client.prototype.query = query
  }
}
