import { Invalid } from '../errors.ts'
import { jsonExpression } from '../modules/collections/table-indexes.ts'
import { mapOperands, negated, type Operator, type Operators, type Subject } from './operator.ts'
import { isSlot, NeedsLiteral, requireLiteral, whenGiven } from './slots.ts'
import { parseJson, parseText } from './texts.ts'

/** Most steps into a JSON value. */
export const stepLimit = 20

/** A condition on what is found at a place inside a JSON value. */
export type Inside = { steps: readonly string[]; value: unknown }

/** The steps decide which index is of use, so they are part of the statement. */
export function parseSteps(input: unknown, at: readonly string[]): readonly string[] {
  const given = requireLiteral(input)
  if (given === undefined) return []
  const list: unknown[] = Array.isArray(given) ? given : [given]
  const slot = list.find(isSlot)
  if (slot) throw new NeedsLiteral(slot)
  if (list.length > stepLimit) throw new Invalid(`A path has at most ${stepLimit} steps.`, at)
  return list.map((step, i) => parseText(step, [...at, `${i}`]))
}

/** Each operator is given `Inside`: `parse` reads its value alone. */
type At = (subject: Subject, steps: readonly string[]) => string

const whole = ({ name }: Subject) => `(${jsonExpression(name)})`

const found: At = (subject, steps) =>
  steps.length === 0 ? whole(subject) : `(${whole(subject)} #> ${subject.param(steps, 'text[]')})`

const parse: Operator['parse'] = (_column, value, at) => whenGiven(value, (given) => parseJson(given, at))

function operator(sql: (at: string, subject: Subject, inside: Inside) => string, read = parse): Operator {
  return {
    parse: read,
    sql: (subject, operand) => {
      const inside = operand as Inside
      return sql(found(subject, inside.steps), subject, inside)
    },
  }
}

function jsonParam({ param }: Subject, value: unknown): string {
  const text = mapOperands([value], ([given]) => JSON.stringify(given))
  return param(text, 'jsonb')
}

/**
 * A number in a path, which PostgreSQL reads as C does, may be a place in a list: only keys can be looked up in an index of
 * what is contained.
 */
const isIndexed = (steps: readonly string[]) => !steps.some((step) => /^\s*[-+]?\d+$/.test(step))

/** The whole value that has this at the end of the path, and nothing besides. */
function nested(steps: readonly string[], value: unknown): string {
  return JSON.stringify(steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value))
}

/** What the whole value contains wherever `value` is at its place: this is what an index knows. */
function within(subject: Subject, steps: readonly string[], value: unknown): string {
  const text = mapOperands([value], ([given]) => nested(steps, given))
  return `${whole(subject)} @> ${subject.param(text, 'jsonb')}`
}

// Where no index is of use, conditions come in this order, and the second reads the JSON once more.
const eq = operator((at, subject, { steps, value }) => {
  const same = `${at} = ${jsonParam(subject, value)}`
  return isIndexed(steps) ? `${same} and ${within(subject, steps, value)}` : same
})

/** Most values that are looked up in an index: each document that is found there is compared with one after the other. */
const mostLookedUp = 100

const isIn = operator(
  (at, subject, { steps, value }) => {
    const listed = (path: readonly string[]) =>
      mapOperands([value], ([given]) => (given as unknown[]).map((one) => nested(path, one)))
    const same = `${at} = any(${subject.param(listed([]), 'jsonb[]')})`
    if (!isIndexed(steps)) return same
    const all = subject.param(listed(steps), 'jsonb[]')
    return `${same} and (cardinality(${all}) > ${mostLookedUp} or ${whole(subject)} @> any(${all}))`
  },
  (_column, value, at) =>
    whenGiven(value, (given) => {
      if (!Array.isArray(given) || given.length > 5_000) throw new Invalid('This is a list of at most 5,000 items.', at)
      return given.map((item, i) => parseJson(item, [...at, `${i}`]))
    }),
)

/** Only numbers are compared with numbers, and texts with texts: by code point. */
function sign(text: string): Operator {
  return operator(
    (at, subject, { value }) => {
      const operand = jsonParam(subject, value)
      const ofTexts = `(${at} #>> '{}') collate "C" ${text} (${operand} #>> '{}')`
      return `jsonb_typeof(${at}) = jsonb_typeof(${operand}) and case jsonb_typeof(${at}) when 'number' then ${at} ${text} ${operand} when 'string' then ${ofTexts} else false end`
    },
    (_column, value, at) =>
      whenGiven(value, (given) => {
        if (typeof given === 'number' || typeof given === 'string') return parseJson(given, at)
        throw new Invalid('Only numbers and texts are greater or less than others.', at)
      }),
  )
}

const contains = operator((at, subject, { steps, value }) => {
  const has = `${at} @> ${jsonParam(subject, value)}`
  if (steps.length === 0 || !isIndexed(steps)) return has
  // A list contains its texts and numbers where it is the value itself, but not where that is deeper.
  const item = mapOperands([value], ([given]) => [given])
  return `${has} and (${within(subject, steps, value)} or ${within(subject, steps, item)})`
})

const literalFlag: Operator['parse'] = (_column, value) => value === true

const hasKey = operator(
  (at, { param }, { value }) => `jsonb_typeof(${at}) = 'object' and ${at} ? ${param(value, 'text')}`,
  (_column, value, at) => whenGiven(value, (given) => parseText(given, at)),
)

const exists = operator((at, _subject, { value }) => `${at} is ${value === true ? 'not ' : ''}null`, literalFlag)

const isNull = operator(
  (at, _subject, { value }) => `coalesce(jsonb_typeof(${at}), 'null') ${value === true ? '=' : '<>'} 'null'`,
  literalFlag,
)

export const jsonOperators: Operators = {
  isNull,
  exists,
  eq,
  ne: negated(eq),
  in: isIn,
  notIn: negated(isIn),
  gt: sign('>'),
  gte: sign('>='),
  lt: sign('<'),
  lte: sign('<='),
  contains,
  notContains: negated(contains),
  hasKey,
}
