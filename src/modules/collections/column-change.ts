/** What becomes of a column when its attribute is changed, and which documents stand against it. */
import { escapeIdentifier } from 'pg'
import type { Attribute, Collection } from '../../../prisma/client/client.ts'
import type { Query } from '../../context.ts'
import { conversionOf } from '../attributes/conversions.ts'
import { type Constraint, checksOf, constraintsOf, defaultOf, isText, sqlTypeOf } from './columns.ts'
import { qualified, targetOf } from './tables.ts'

type Place = Pick<Collection, 'id' | 'projectId'>

/** The statements that make one attribute the other, to be run in one transaction. Unique indexes are not among them. */
export function changeColumn(place: Place, from: Attribute, to: Attribute): string[] {
  const column = `alter column ${escapeIdentifier(from.column)}`
  const isNewType = sqlTypeOf(from) !== sqlTypeOf(to)
  const before = constraintsOf(from, targetOf(from))
  const after = constraintsOf(to, targetOf(to))
  const lacks = (list: readonly Constraint[], one: Constraint) =>
    isNewType || !list.some(({ text }) => text === one.text)
  const steps = before
    .filter((one) => lacks(after, one))
    .map(({ name }) => `drop constraint if exists ${escapeIdentifier(name)}`)
  if (from.computed === null) {
    steps.push(`${column} drop default`)
    if (isNewType) steps.push(`${column} type ${typeSql(from, to)}`)
    const initial = defaultOf(to)
    if (initial !== null) steps.push(`${column} set default ${initial}`)
  }
  if (from.required !== to.required) steps.push(`${column} ${to.required ? 'set' : 'drop'} not null`)
  steps.push(...after.filter((one) => lacks(before, one)).map(({ text }) => `add ${text}`))
  return steps.map((step) => `alter table ${qualified(place.projectId, place.id)} ${step}`)
}

function typeSql(from: Attribute, to: Attribute): string {
  const column = escapeIdentifier(from.column)
  const cast = conversionOf(from, to)?.cast(column) ?? column
  const collation = isText(to) ? ' collate "C"' : ''
  return `${sqlTypeOf(to)}${collation} using case when ${column} is not null then ${cast} end`
}

/** How many documents are named that stand against a change. */
const examples = 10

/** What keeps a document from being part of the changed attribute: `null`, `type`, `unique` or the suffix of a check. */
export type Fault = { documentId: string; fault: string }

type Faults = { count: number; examples: Fault[] }

/** How many documents stand against a change, and some of them. It changes nothing. */
export async function findFaults(query: Query, place: Place, from: Attribute, to: Attribute): Promise<Faults> {
  const table = qualified(place.projectId, place.id)
  const parse = conversionOf(from, to)?.parse
  const found = parse
    ? await parsedFaults(query, table, { from, to, parse })
    : await examplesOf(query, `select "_id", ${faultSql(from, to)} as fault from ${table}`)
  if (found.count > 0 || !to.unique) return found
  const column = escapeIdentifier(from.column)
  const value = conversionOf(from, to)?.cast(column) ?? column
  const equal = `select "_id", count(*) over (partition by ${value}) as equal from ${table} where ${column} is not null`
  return examplesOf(query, `select "_id", case when equal > 1 then 'unique' end as fault from (${equal}) counted`)
}

/** Documents that are looked at in one go. */
const page = 1_000

/** The same where PostgreSQL cannot tell whether a value can be one of the new type: it is asked for all of them. */
async function parsedFaults(
  query: Query,
  table: string,
  { from, to, parse }: { from: Attribute; to: Attribute; parse: (value: string) => unknown },
): Promise<Faults> {
  const found: Faults = { count: 0, examples: [] }
  const text = `select "_id" as id, fault, case when fault is null then value end as value from (
    select "_id", ${escapeIdentifier(from.column)} as value, ${faultSql(from, to)} as fault
    from ${table} where "_id" > $1 order by "_id" limit ${page}) found order by "_id"`
  for (let last: string | undefined = ''; last !== undefined; ) {
    const rows: { id: string; fault: string | null; value: string | null }[] = await query(text, [last])
    for (const { id, fault, value } of rows) {
      const whole = fault ?? (value === null || isParsed(parse, value) ? null : 'type')
      if (whole === null) continue
      found.count += 1
      if (found.examples.length < examples) found.examples.push({ documentId: id, fault: whole })
    }
    last = rows.length < page ? undefined : rows.at(-1)?.id
  }
  return found
}

function isParsed(parse: (value: string) => unknown, value: string): boolean {
  try {
    parse(value)
    return true
  } catch {
    return false
  }
}

async function examplesOf(query: Query, documents: string): Promise<Faults> {
  const rows = await query<Fault & { count: number }>(
    `select "_id" as "documentId", fault, (count(*) over ())::int as count from (${documents}) found
     where fault is not null order by "_id" limit ${examples}`,
  )
  return { count: rows[0]?.count ?? 0, examples: rows.map(({ documentId, fault }) => ({ documentId, fault })) }
}

/** The first thing that is wrong with a document, as text; null for nothing. Its cases come one after the other, so no cast fails. */
function faultSql(from: Attribute, to: Attribute): string {
  const column = escapeIdentifier(from.column)
  const conversion = conversionOf(from, to)
  const fits = conversion?.fits?.(column)
  const value = conversion?.cast(column) ?? column
  const checks = to.encrypted || to.type === 'RELATION' ? [] : checksOf(to, value)
  const cases = [
    `when ${column} is null then ${to.required ? `'null'` : 'null'}`,
    ...(fits === undefined ? [] : [`when (${fits}) is not true then 'type'`]),
    ...checks.map(([suffix, check]) => `when (${check}) is false then '${suffix}'`),
  ]
  return `case ${cases.join(' ')} end`
}
