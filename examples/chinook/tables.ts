import type pg from 'pg'
import type { Store } from './rows.ts'

/** The data set as it is, in temporary tables of a connection. */
export async function createPlainTables(client: pg.ClientBase, store: Store): Promise<void> {
  for (const [name, rows] of Object.entries(store)) {
    const columns = Object.entries(rows[0] ?? {}).map(([key]) => {
      const isNumber = rows.some((row) => typeof row[key] === 'number')
      return `"${key}" ${isNumber ? 'numeric' : 'text collate "C"'}`
    })
    await client.query(`create temp table "${name}" (${columns.join(', ')})`)
    const fill = `insert into "${name}" select * from json_populate_recordset(null::"${name}", $1)`
    await client.query(fill, [JSON.stringify(rows)])
  }
}
