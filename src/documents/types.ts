import { compareAddresses, parseAddress } from './addresses.ts'
import { formatLine, formatPoint, formatPolygon, parseLine, parsePoint, parsePolygon } from './geometry.ts'
import {
  compareBig,
  compareDecimals,
  parseBig,
  parseBoolean,
  parseDecimal,
  parseFloat64,
  parseInt32,
  parseVector,
} from './numbers.ts'
import { compareTexts, parseDate, parseEmail, parseJson, parseMoment, parseText, parseUrl, parseUuid } from './texts.ts'
import type { Value } from './value.ts'

export type ColumnType =
  | 'ID'
  | 'STRING'
  | 'TEXT'
  | 'INTEGER'
  | 'BIGINT'
  | 'FLOAT'
  | 'DECIMAL'
  | 'BOOLEAN'
  | 'DATETIME'
  | 'DATE'
  | 'EMAIL'
  | 'URL'
  | 'IP'
  | 'UUID'
  | 'ENUM'
  | 'JSON'
  | 'POINT'
  | 'LINE'
  | 'POLYGON'
  | 'VECTOR'

/** All that there is to know of a type of attribute. */
export type TypeDefinition = {
  /** Its type in PostgreSQL. */
  sql: string
  /** Ordered and compared by code point, whatever the database's locale. */
  collated: boolean
  /** Whether values can be told to be less or greater. */
  ordered: boolean
  /** Throws Invalid for what PostgreSQL could not keep as it is. */
  parse: (value: unknown, at: readonly string[]) => Value
  /** What PostgreSQL is given for a value; the value itself, if left out. */
  param?: (value: Value) => unknown
  /** The JSON text of a value, from an SQL expression that is not null. Byte for byte what JSON.stringify gives. */
  json: (sql: string) => string
  /** The column's value out of the `jsonb` of a logged one; PostgreSQL's own cast of its text, if left out. */
  fromLog?: (jsonb: string) => string
  /** Below 0 if a comes first; by the text of their JSON, if left out. */
  compare?: (a: Value, b: Value) => number
}

const quoted = (sql: string) => `'"' || ${sql} || '"'`
const escaped = (sql: string) => `to_json(${sql})::text`
const plain = (sql: string) => `${sql}::text`

/** PostgreSQL and JavaScript write numbers of these sizes alike; the function knows the others. */
const float = (sql: string) =>
  `case when abs(${sql}) between 1e-4 and 999999999999999 then ${sql}::text else documents.js_number(${sql}) end`

const moment = (sql: string) => quoted(`to_char(${sql} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)

const text = (parse: TypeDefinition['parse']): TypeDefinition => {
  return { sql: 'text', collated: true, ordered: true, parse, json: escaped, compare: compareTexts }
}

const number = (sql: string, parse: TypeDefinition['parse'], json: TypeDefinition['json']): TypeDefinition => {
  return { sql, collated: false, ordered: true, parse, json, compare: (a, b) => Number(a) - Number(b) }
}

const opaque = (sql: string, parse: TypeDefinition['parse'], json: TypeDefinition['json']): TypeDefinition => {
  return { sql, collated: false, ordered: false, parse, json }
}

export const types: Readonly<Record<ColumnType, TypeDefinition>> = {
  ID: text(parseText),
  STRING: text(parseText),
  TEXT: text(parseText),
  EMAIL: text(parseEmail),
  URL: text(parseUrl),
  ENUM: text(parseText),
  INTEGER: number('int4', parseInt32, plain),
  BIGINT: { ...number('int8', parseBig, (sql) => quoted(plain(sql))), compare: compareBig },
  FLOAT: number('float8', parseFloat64, float),
  DECIMAL: { ...number('numeric', parseDecimal, (sql) => quoted(plain(sql))), compare: compareDecimals },
  BOOLEAN: { ...number('boolean', parseBoolean, plain) },
  DATETIME: { ...opaque('timestamptz', parseMoment, moment), ordered: true, compare: compareTexts },
  DATE: {
    ...opaque('date', parseDate, (sql) => quoted(`to_char(${sql}, 'YYYY-MM-DD')`)),
    ordered: true,
    compare: compareTexts,
  },
  IP: { ...opaque('inet', parseAddress, (sql) => quoted(`host(${sql})`)), ordered: true, compare: compareAddresses },
  UUID: { ...opaque('uuid', parseUuid, (sql) => quoted(plain(sql))), ordered: true, compare: compareTexts },
  JSON: {
    ...opaque('json', parseJson, plain),
    param: (value) => JSON.stringify(value),
    fromLog: (sql) => `(${sql})::json`,
  },
  POINT: {
    ...opaque('point', parsePoint, pointJson),
    param: formatPoint,
    fromLog: (sql) => `documents.point_of(${sql})`,
  },
  LINE: {
    ...opaque('path', parseLine, (sql) => `documents.line_json(${sql})`),
    param: formatLine,
    fromLog: (sql) => `documents.line_of(${sql})`,
  },
  POLYGON: {
    ...opaque('polygon', parsePolygon, (sql) => `documents.polygon_json(${sql})`),
    param: formatPolygon,
    fromLog: (sql) => `documents.polygon_of(${sql})`,
  },
  VECTOR: {
    ...opaque('vector', parseVector, (sql) => `documents.numbers_json(${sql}::real[]::float8[])`),
    param: (value) => JSON.stringify(value),
    fromLog: (sql) => `(${sql})::text::vector`,
  },
}

function pointJson(sql: string): string {
  return `'{"type":"Point","coordinates":[' || ${float(`(${sql})[0]`)} || ',' || ${float(`(${sql})[1]`)} || ']}'`
}
