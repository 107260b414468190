import { imageColumns } from './image.ts'
import { type CollectionModel, type Column, quote } from './model.ts'

/** The longest argument list that PostgreSQL takes is 100: a key and a value each. */
const most = 50

export function literal(text: string): string {
  return text.includes('\\')
    ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`
}

/** A JSON object of SQL expressions. Longer ones are built in parts and joined as text, which keeps the keys' order. */
export function jsonObject(entries: readonly (readonly [string, string])[]): string {
  const parts: string[] = []
  for (let i = 0; i < entries.length || i === 0; i += most) {
    parts.push(
      `json_build_object(${entries
        .slice(i, i + most)
        .map(([key, value]) => `${literal(key)}, ${value}`)
        .join(', ')})`,
    )
  }
  if (parts.length === 1) return parts[0] ?? ''
  const inner = parts.map((part) => `right(left(${part}::text, -1), -1)`)
  return `('{' || ${inner.join(` || ',' || `)} || '}')::json`
}

/** A moment as the DateTime scalar prints it. */
export function momentSql(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

/** A column's value as the API answers it. */
export function columnSql(column: Column, alias: string): string {
  const name = `${alias}.${quote(column.name)}`
  return column.type === 'DATETIME' ? momentSql(name) : name
}

/** A column as it is compared and ordered: texts by code point, whatever the database's locale. */
export function comparableSql(column: Column, alias: string): string {
  const name = `${alias}.${quote(column.name)}`
  return column.type === 'STRING' || column.type === 'ID' ? `${name} collate "C"` : name
}

/** The whole row as it is logged. */
export function imageSql(collection: CollectionModel, alias: string): string {
  const entries = imageColumns(collection).map(({ name, isMoment }) => {
    const column = `${alias}.${quote(name)}`
    return [name, isMoment ? momentSql(column) : column] as const
  })
  return jsonObject(entries)
}
