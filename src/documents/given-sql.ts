import { quote } from './model.ts'
import type { Scope } from './scope.ts'

/** A column of the rows that a statement is given. */
export type GivenColumn = { name: string; type: string }

/** Rows that come as one parameter: however many there are, the statement reads the same. */
export function givenSql(scope: Scope, columns: readonly GivenColumn[], rows: unknown): string {
  const definitions = columns.map(({ name, type }) => `${quote(name)} ${type}${collationOf(type)}`).join(', ')
  return `given as materialized (select * from json_to_recordset(${scope.param(rows, 'json')}) as g("_place" int4, ${definitions}))`
}

/** Texts have the order of those in tables (`columns.ts`), whatever that of the database is. */
const collationOf = (type: string) => (/^text\b/.test(type) ? ' collate "C"' : '')

/** Texts of rows as one JSON, each with its place. */
export function rowsJson(texts: readonly string[]): string {
  return `[${texts.map((text, i) => `{"_place":${i},${text.slice(1)}`).join(',')}]`
}
