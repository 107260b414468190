import { type GivenColumn, givenSql, rowsJson } from './given-sql.ts'
import { foreignGrants, parseGrants } from './grants.ts'
import { changedRow, type Input, type Path, rowJson, type Settable, settablesOf } from './input.ts'
import { allowed, placeText, relatedReasons, where } from './insert-sql.ts'
import { imageText, literal } from './json.ts'
import { type CollectionModel, type Column, quote } from './model.ts'
import { type Operation, operationReasons, operationSql } from './operations.ts'
import { outboxSql } from './outbox-sql.ts'
import { readFilter, rightFilter } from './permissions.ts'
import { rulesOf } from './rules.ts'
import { defer, requireLiteral, whenAllGiven } from './slots.ts'
import { types } from './types.ts'
import { join } from './where-sql.ts'
import { bulkLimit, type Writing } from './writing.ts'

export type Change = {
  /** Inputs that set the same fields: one for all documents found, or one for each of `ids`. */
  inputs: readonly Input[]
  at: (place: number) => Path
  /** SQL of which rows of `t` are changed. */
  condition: string
  /** Whether each document has an input of its own, which names it by its id. */
  each: boolean
  /** The document's id where it is one, for what is encrypted. */
  id: unknown
  operations: readonly Operation[]
  ifVersion: number | null
  /** Fields whose links have been changed already. */
  linked?: readonly string[]
}

/**
 * One statement that changes documents with their events, or refuses. What the caller may not read is not there for it.
 * `answer` makes the one row out of `written w`, the rows as they are now.
 */
export function updateSql(writing: Writing, change: Change, answer: (joined: string) => string): string {
  const { scope, collection } = writing
  const { given, keys, settables } = givenOf(writing, change)
  const before = `select t.* from ${collection.table} t where ${join([change.condition, readable(writing, 't')], 'and', 'true')} order by t."_id" limit ${bulkLimit + 1} for update`
  const sets = [
    `"_updatedAt" = g."_updatedAt"`,
    `"_version" = b."_version" + 1`,
    ...settables.map(({ name }) => `${quote(name)} = g.${quote(name)}`),
    ...change.operations.map((operation) => `${quote(operation.column.name)} = ${operationSql(scope, operation, 'b')}`),
  ]
  const reasons = [
    ...rightReasons(writing, change),
    ...(keys.includes('permissions') ? grantReasons() : []),
    ...relatedReasons(writing, keys, change.each ? change.at : () => [change.at(0)[0] ?? '']),
    ...change.operations.flatMap((operation) => operationReasons(scope, operation, 'b')),
  ]
  const conditions = [
    't."_id" = b."_id"',
    ...(change.each ? ['g."_id" = b."_id"'] : []),
    `(select documents.allow(case when count(*) > ${bulkLimit} then 'many' end) from before)`,
    beforeAny(change, allowed(reasons)),
  ]
  const names = [...settables.map(({ name }) => name), ...change.operations.map(({ column }) => column.name)]
  const changed = changedSql(collection, names, change.linked)
  const joined = 'from written w join before b on b."_id" = w."_id"'
  const logged = {
    action: 'updated',
    id: 'w."_id"',
    before: imageText(collection, 'b'),
    after: imageText(collection, 'w'),
    changed,
  } as const
  const after = allowed([...ruleReasons(writing), ...sizeReasons(collection, settables, change.operations)])
  return `with ${given}, before as (${before}),
    written as (update ${collection.table} as t set ${sets.join(', ')} from before b, given g where ${join(conditions, 'and', 'true')} returning t.*),
    logged as (${outboxSql(scope, collection, logged, `${joined} ${where(after)} order by w."_id"`)})
    ${answer(joined)}`
}

/**
 * Of many rows, each is allowed before any is written: otherwise it is a matter of where the rows lie whether the caller hears
 * of one that they may not change, or of two that would have the same unique value. What is given for one that is not there
 * is not looked at: else it were a matter of the plan which of both the caller hears of.
 */
function beforeAny({ each, id }: Change, condition: string): string {
  if (condition === 'true') return condition
  if (!each && id !== null) return `case when b."_id" is not null then ${condition} end`
  return `(select coalesce(bool_and(${condition}), true) from before b, given g${each ? ' where g."_id" = b."_id"' : ''})`
}

/** Takes a relation's value from documents whose other end is going, with their events. */
export function releaseSql({ scope, collection, now }: Writing, column: string, ids: readonly string[]): string {
  const name = quote(column)
  const joined = 'from written w join before b on b."_id" = w."_id"'
  const changed = changedSql(collection, [column])
  const logged = {
    action: 'updated',
    id: 'w."_id"',
    before: imageText(collection, 'b'),
    after: imageText(collection, 'w'),
    changed,
  } as const
  return `with before as materialized (select t.* from ${collection.table} t where t."_id" = any(${scope.param(ids, 'text[]')})),
    written as (update ${collection.table} as t set ${name} = null, "_updatedAt" = ${scope.param(now(), 'timestamptz')}, "_version" = t."_version" + 1
      from before b where t."_id" = b."_id" returning t.*),
    logged as (${outboxSql(scope, collection, logged, `${joined} order by w."_id"`)})
    select '[]' as answer`
}

/** Rows of `alias` that are there for the caller. A key that may only write needs to see what it changes. */
export function readable({ scope, collection, holder }: Writing, alias: string): string {
  return holder.write.roles === null ? 'true' : readFilter(scope, collection, alias)
}

function givenOf(writing: Writing, { inputs, at, each, id }: Change) {
  const { scope, collection, holder, keys: secrets, now } = writing
  const keys = Object.keys(requireLiteral(inputs[0] ?? {}))
  const settables = settablesOf(collection).filter(({ key }) => keys.includes(key))
  const grants = keys.includes('permissions')
  const moments = ['createdAt'].filter((key) => keys.includes(key)).map((key) => `_${key}`)
  const columns: GivenColumn[] = [
    { name: '_id', type: 'text' },
    { name: '_updatedAt', type: 'timestamptz' },
    ...moments.map((name) => ({ name, type: 'timestamptz' })),
    ...(grants
      ? grantColumns.flatMap((name) => [name, `${name}Foreign`]).map((name) => ({ name, type: 'text[]' }))
      : []),
    ...settables,
  ]
  const rows = whenAllGiven([inputs, id], (given, { roles, userId }) => {
    const [list, one] = given as [Input[], string | null]
    const caller = { roles: holder.write.roles === null ? null : roles, userId }
    const writer = { keys: secrets, caller, now: now() }
    const texts = list.map((input, i) => {
      const own = each ? String(input.id) : one
      const row = changedRow(writer, collection, input, own, at(i))
      return rowJson({ ...row, _id: own, ...(grants ? grantsOf(collection, input, caller.roles, at(i)) : {}) })
    })
    return rowsJson(texts)
  })
  const own = [...moments, ...(grants ? grantColumns : [])].map((name) => ({ name }))
  return { given: givenSql(scope, columns, rows), keys, settables: [...own, ...settables] }
}

const grantColumns = ['_read', '_update', '_delete'] as const

/** Roles that the caller does not hold may stay, and no more. */
function grantsOf(collection: CollectionModel, input: Input, roles: readonly string[] | null, at: Path) {
  const grants = parseGrants(collection, input.permissions, at)
  const foreign = grantColumns.map((name) => [`${name}Foreign`, foreignGrants(grants[name], roles)] as const)
  return { ...grants, ...Object.fromEntries(foreign) }
}

function grantReasons(): string[] {
  return grantColumns.map(
    (name) =>
      `(select 'grant::' || role from unnest(g.${quote(`${name}Foreign`)}) role where role <> all(b.${quote(name)}) limit 1)`,
  )
}

const callersRoles = defer(({ roles }) => roles)

function rightReasons({ scope, collection, holder }: Writing, { each, at, ifVersion }: Change): string[] {
  const right = rightFilter('update', collection, holder.write, 'b', scope)
  return [
    ...(right === 'true'
      ? []
      : [`case when (${right}) is not true then 'forbidden'${each ? ` || ':' || ${placeText(at)}` : ''} end`]),
    ...(ifVersion === null ? [] : [`case when b."_version" <> ${scope.param(ifVersion, 'int4')} then 'version' end`]),
  ]
}

/** A right that came by a rule must be held on what was written too. */
function ruleReasons({ scope, collection, holder }: Writing): string[] {
  const { roles } = holder.write
  if (roles === null || !rulesOf(collection).some(({ right, role }) => right === 'update' && roles.includes(role)))
    return []
  const right = rightFilter('update', collection, holder.write, 'w', scope)
  if (right === 'true') return []
  const own = collection.documentPermissions ? `b."_update" && ${scope.param(callersRoles, 'text[]')}` : 'false'
  return [`case when not (${own}) and (${right}) is not true then 'rule' end`]
}

/** Only what has no size of its own can make a document too large. */
function sizeReasons(
  collection: CollectionModel,
  settables: readonly Partial<Settable>[],
  operations: readonly Operation[],
): string[] {
  const columns = [...settables.flatMap(({ column }) => column ?? []), ...operations.map(({ column }) => column)]
  if (!columns.some(grows)) return []
  return [`case when octet_length(${imageText(collection, 'w')}) > 1000000 then 'size' end`]
}

function grows({ list, type, encrypted }: Column): boolean {
  return list || encrypted || ['text', 'json', 'path', 'polygon', 'vector', 'numeric'].includes(types[type].sql)
}

/** The fields whose values differ between `b` and `w`, as JSON. */
export function changedSql(
  collection: CollectionModel,
  names: readonly string[],
  linked: readonly string[] = [],
): string {
  const computed = [...collection.columns.values()].filter((column) => column.computed).map(({ name }) => name)
  const keys = new Map(settablesOf(collection).map(({ name, key }) => [name, key]))
  const differing = [...names, ...computed]
    .filter((name) => !grantColumns.includes(name as never))
    .map((name) => {
      const key = keys.get(name) ?? [...collection.columns.values()].find((one) => one.name === name)?.key ?? name
      return `case when b.${quote(name)}::text is distinct from w.${quote(name)}::text then ${literal(key)} end`
    })
  const grants = names.includes('_read')
    ? [
        `case when (b."_read", b."_update", b."_delete") is distinct from (w."_read", w."_update", w."_delete") then 'permissions' end`,
      ]
    : []
  const items = [...differing, ...grants, ...linked.map(literal)]
  return items.length === 0 ? "'[]'" : `to_json(array_remove(array[${items.join(', ')}]::text[], null))::text`
}
