import { columnJson, comparableSql, literal } from './json.ts'
import { type OrderTerm, orderText, type Place } from './page.ts'
import type { Scope } from './scope.ts'
import { itemType, operandParam } from './values.ts'
import { join } from './where-sql.ts'

/** Nulls count as greater than everything: last in ASC, first in DESC, as PostgreSQL's own indexes have it. */
export function orderSql(order: readonly OrderTerm[], alias: string, backward: boolean): string {
  return order
    .map(({ column, descending }) => `${comparableSql(column, alias)} ${descending !== backward ? 'desc' : 'asc'}`)
    .join(', ')
}

/** The rows strictly beyond a place: after it, or before it. */
export function beyondSql(
  scope: Scope,
  order: readonly OrderTerm[],
  place: Place,
  alias: string,
  before: boolean,
): string {
  const [only] = order
  if (order.every(({ column, descending }) => column.required && descending === only?.descending)) {
    // One comparison of rows is what an index on the order can answer.
    const columns = order.map(({ column }) => comparableSql(column, alias)).join(', ')
    const values = order
      .map(({ column }, i) => scope.param(operandParam(column, place[i]), itemType(column)))
      .join(', ')
    return `(${columns}) ${only?.descending !== before ? '<' : '>'} (${values})`
  }
  return order.reduceRight((rest, term, i) => {
    const value = place[i] ?? null
    const { beyond, same } = termSql(scope, term, value, alias, before)
    return rest === '' ? beyond : join([beyond, join([same, rest], 'and', 'true')], 'or', 'false')
  }, '')
}

function termSql(
  scope: Scope,
  { column, descending }: OrderTerm,
  value: Place[number],
  alias: string,
  before: boolean,
) {
  const name = comparableSql(column, alias)
  const greater = descending === before
  if (value === null) return { beyond: greater ? 'false' : `${name} is not null`, same: `${name} is null` }
  const given = scope.param(operandParam(column, value), itemType(column))
  const beyond = greater ? `${name} > ${given}` : `${name} < ${given}`
  return { beyond: greater && !column.required ? `${beyond} or ${name} is null` : beyond, same: `${name} = ${given}` }
}

/** The JSON text of an opaque name of a row's place: what `placeOf` reads. */
export function cursorJson(order: readonly OrderTerm[], alias: string): string {
  const values = order.map(({ column }) => columnJson(column, alias)).join(` || ',' || `)
  const place = `'[' || ${literal(JSON.stringify(orderText(order)))} || ',' || ${values} || ']'`
  return `('"' || translate(encode(convert_to(${place}, 'UTF8'), 'base64'), E'+/=\\n', '-_') || '"')`
}
