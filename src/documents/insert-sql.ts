import { LimitExceeded } from '../errors.ts'
import { limitedWriteSql } from './answer-size.ts'
import { type GivenColumn, givenSql, rowsJson } from './given-sql.ts'
import { type Input, newRow, type Path, rowJson, settablesOf } from './input.ts'
import { imageText, jsonList, literal } from './json.ts'
import { type CollectionModel, quote } from './model.ts'
import { isNested, NeedsMore } from './nested.ts'
import { outboxSql } from './outbox-sql.ts'
import { readFilter, rightFilter, ruleColumns } from './permissions.ts'
import { whenAllGiven } from './slots.ts'
import { join } from './where-sql.ts'
import { bulkLimit, type Writing } from './writing.ts'

export function requireFew({ length }: readonly Input[]): void {
  if (length > bulkLimit) throw new LimitExceeded('One call writes at most 10,000 documents.')
}

/** The text of the answer about a written row, whose table has this alias. */
export type AnswerSql = (alias: string) => string

const ownColumns: readonly GivenColumn[] = [
  { name: '_id', type: 'text' },
  { name: '_createdAt', type: 'timestamptz' },
  { name: '_updatedAt', type: 'timestamptz' },
  ...['_read', '_update', '_delete'].map((name) => ({ name, type: 'text[]' })),
]

/** The columns of a new row, as `newRow` fills them. */
export function rowColumns(collection: CollectionModel): readonly GivenColumn[] {
  return [...ownColumns, ...settablesOf(collection)]
}

/**
 * One statement that creates documents with their events, or refuses all of them. `inputs` is a list of inputs, which may
 * be or hold slots; its one row `answer` is a JSON list in the order of the inputs.
 */
export function insertSql(writing: Writing, inputs: unknown, at: (place: number) => Path, answer: AnswerSql): string {
  const { scope, collection, holder, keys, now } = writing
  const columns = rowColumns(collection)
  const rows = whenAllGiven(inputs, (list, { roles, userId }) => {
    const caller = { roles: holder.write.roles === null ? null : roles, userId }
    const writer = { keys, caller, now: now() }
    requireFew(list as Input[])
    if ((list as Input[]).some((input) => isNested(collection, input))) throw new NeedsMore()
    return rowsJson((list as Input[]).map((input, i) => rowJson(newRow(writer, collection, input, at(i)))))
  })
  const names = columns.map(({ name }) => quote(name)).join(', ')
  const logged = {
    action: 'created',
    id: 'w."_id"',
    before: "'null'",
    after: imageText(collection, 'w'),
    changed: "'[]'",
  } as const
  const settable = settablesOf(collection).map(({ key }) => key)
  const related = relatedReasons(writing, settable, at, 'select "_id" from given')
  const joined = 'from written w join given g on g."_id" = w."_id"'
  return `with ${givenSql(scope, columns, rows)},
    written as (insert into ${collection.table} (${names}) select ${names} from given g
      ${where(allowed([...related, ...earlyReasons(writing, at, columns)]))} order by g."_place" returning *),
    logged as (${outboxSql(scope, collection, logged, `${joined} order by g."_place"`)})
    ${limitedWriteSql(scope, `select ${jsonList(answer('w'), 'g."_place"')} as answer ${joined} ${where(allowed(ruleReasons(writing, at, 'w')))}`)}`
}

/** Refuses a row for the first of these reasons that there is. */
export function allowed(reasons: readonly string[]): string {
  return reasons.length === 0 ? 'true' : `documents.allow(coalesce(${reasons.join(', ')}))`
}

export function where(condition: string): string {
  return condition === 'true' ? '' : `where ${condition}`
}

/** Where a row of `given g` stands in what was sent, as SQL of a text that ends in a colon. */
export function placeText(at: (place: number) => Path): string {
  const [root = '', ...place] = at(0)
  return place.length === 0 ? literal(`${root}:`) : `${literal(`${root}.`)} || g."_place" || ':'`
}

/**
 * A document that the caller may not read cannot be pointed at, in the same words as one that is not there. Where they may
 * read all, the foreign key sees to it. What is created together may point at each other: `created` is SQL of the ids that are.
 */
export function relatedReasons(
  { scope, collection, holder, made }: Writing,
  keys: readonly string[],
  at: (place: number) => Path,
  created: string | null = null,
): string[] {
  const path = placeText(at)
  if (holder.write.roles === null) return []
  return settablesOf(collection).flatMap(({ key, name, to }) => {
    const related = scope.model.collections.get(to ?? '')
    if (!related || !keys.includes(key)) return []
    const readable = readFilter(scope, related, 'r')
    if (readable === 'true') return []
    const column = `g.${quote(name)}`
    const found = `exists (select from ${related.table} r where ${join([`r."_id" = ${column}`, readable], 'and', 'true')})`
    const ids = made?.get(related.id)
    const own = [
      ...(created && related.id === collection.id ? [` or ${column} in (${created})`] : []),
      ...(ids ? [` or ${column} = any(${scope.param(ids, 'text[]')})`] : []),
    ].join('')
    return [
      `case when (${column} is null or ${found}${own}) is not true then 'related:' || ${path} || ${literal(key)} end`,
    ]
  })
}

/**
 * What no rule lets in is refused before it is written, too, or an id or another unique value that is taken would tell of itself
 * to who may not create the document. What PostgreSQL computes is there only once it is written.
 */
function earlyReasons(writing: Writing, at: (place: number) => Path, given: readonly GivenColumn[]): string[] {
  const names = new Set(given.map(({ name }) => name))
  const isThere = ruleColumns('create', writing.collection, writing.holder.write).every(({ name }) => names.has(name))
  return isThere ? ruleReasons(writing, at, 'g') : []
}

/** What comes by a rule must satisfy it once it is written. */
function ruleReasons({ scope, collection, holder }: Writing, at: (place: number) => Path, alias: 'g' | 'w'): string[] {
  const right = rightFilter('create', collection, holder.write, alias, scope)
  return right === 'true' ? [] : [`case when (${right}) is not true then 'rule:' || ${placeText(at)} end`]
}
