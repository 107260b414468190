import { type Endpoint, request, type Typed } from '../client/request.ts'

/** What somebody asks of the store, and the same asked of the data set in SQL. */
export type Question = {
  title: string
  /** The answer of the API, row by row. */
  ask: (to: Endpoint) => Promise<unknown[][]>
  sql: string
}

export function question<Data>(
  title: string,
  query: Typed<Data, Record<string, never>>,
  rows: (data: Data) => unknown[][],
  sql: string,
): Question {
  return { title, ask: async (to) => rows(await request(to, query)), sql }
}
