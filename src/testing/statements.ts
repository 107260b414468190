import pg from 'pg'

/** Counts what really goes to PostgreSQL meanwhile, but for the node's own listening to the log. */
export async function statements<T>(work: () => Promise<T>): Promise<{ result: T; texts: string[] }> {
  const texts: string[] = []
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [first] = args
    const text = typeof first === 'string' ? first : (first as { text: string }).text
    if (!/^\s*select.*events\./s.test(text)) texts.push(text)
    return Reflect.apply(query, this, args)
  } as typeof query
  try {
    return { result: await work(), texts }
  } finally {
    pg.Client.prototype.query = query
  }
}
