/**
 * The language of computed attributes: other attributes, literals, arithmetic, comparison and a few functions. What is
 * not in this file never reaches PostgreSQL.
 */
import { escapeLiteral } from 'pg'

/** Longest expression, in characters. */
export const expressionLimit = 1_000
/** Expressions within each other. */
export const depthLimit = 40
/** How often a new one names attributes: each can be as long as a document. What was made before may do so more often. */
export const mentionLimit = 50

/** Why a text is no expression, in words. */
export class ExpressionError extends Error {}

type Expression =
  | { kind: 'attribute'; key: string }
  | { kind: 'literal'; sql: string }
  | { kind: 'call'; name: string; args: Expression[] }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'unary'; operator: 'not' | '-'; of: Expression }

/** The functions by name: least and greatest number of arguments, and their SQL. All are immutable. */
const functions: Readonly<Record<string, [min: number, max: number, sql: (...args: string[]) => string]>> = {
  lower: [1, 1, (text) => `lower(${text} collate "default")`],
  upper: [1, 1, (text) => `upper(${text} collate "default")`],
  trim: [1, 1, (text) => `btrim(${text})`],
  length: [1, 1, (text) => `char_length(${text})`],
  left: [2, 2, (text, count) => `left(${text}, ${count})`],
  right: [2, 2, (text, count) => `right(${text}, ${count})`],
  replace: [3, 3, (text, what, by) => `documents.replaced(${text}, ${what}, ${by})`],
  concat: [1, 20, (...args) => `(${args.map((arg) => `coalesce((${arg})::text, '')`).join(' || ')})`],
  coalesce: [1, 20, (...args) => `coalesce(${args.join(', ')})`],
  abs: [1, 1, (number) => `abs(${number})`],
  floor: [1, 1, (number) => `floor(${number})`],
  ceil: [1, 1, (number) => `ceil(${number})`],
  round: [1, 2, (number, digits = '0') => `round((${number})::numeric, ${digits})`],
  least: [1, 20, (...args) => `least(${args.join(', ')})`],
  greatest: [1, 20, (...args) => `greatest(${args.join(', ')})`],
  isNull: [1, 1, (value) => `(${value} is null)`],
  if: [3, 3, (condition, yes, no) => `(case when ${condition} then ${yes} else ${no} end)`],
}

const literals: Readonly<Record<string, string>> = { true: 'true', false: 'false', null: 'null' }

/** How tightly each operator binds. */
const powers: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  '=': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '||': 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '%': 7,
}
const notPower = 3
const minusPower = 8

const grammar =
  /\s*(?:(\d{1,15}(?:\.\d{1,15})?)|'((?:[^'\0]|'')*)'|([A-Za-z_][A-Za-z0-9_]*)|(\|\||!=|<=|>=|[=<>+\-*/%(),]))/y

type Token = { kind: 'number' | 'text' | 'name' | 'sign' | 'end'; text: string; at: number }

function tokensOf(source: string): Token[] {
  if (source.length > expressionLimit) throw new ExpressionError(`It has at most ${expressionLimit} characters.`)
  if (!source.isWellFormed()) throw new ExpressionError('It is not a text that can be stored.')
  const tokens: Token[] = []
  const end = source.trimEnd().length
  grammar.lastIndex = 0
  while (grammar.lastIndex < end) {
    const from = grammar.lastIndex
    const match = grammar.exec(source)
    if (!match) throw new ExpressionError(`Nothing is known that begins with “${[...source.slice(from).trim()][0]}”.`)
    const [, number, text, name, sign] = match
    const [kind, value] =
      number !== undefined
        ? (['number', number] as const)
        : text !== undefined
          ? (['text', text.replaceAll("''", "'")] as const)
          : name !== undefined
            ? (['name', name] as const)
            : (['sign', sign ?? ''] as const)
    tokens.push({ kind, text: value, at: grammar.lastIndex - (kind === 'text' ? (text?.length ?? 0) : value.length) })
  }
  return tokens
}

/** Throws an ExpressionError for what is not in the language. */
function parseExpression(source: string): Expression {
  const tokens = tokensOf(source)
  let position = 0
  let depth = 0
  const peek = (): Token => tokens[position] ?? { kind: 'end', text: '', at: source.length }
  const next = (): Token => {
    const token = peek()
    position += 1
    return token
  }
  const expect = (sign: string) => {
    const token = next()
    if (token.kind !== 'sign' || token.text !== sign) throw new ExpressionError(`“${sign}” is missing ${where(token)}.`)
  }
  const expression = (power: number): Expression => {
    depth += 1
    if (depth > depthLimit) throw new ExpressionError(`It is nested more than ${depthLimit} levels deep.`)
    let left = prefix(next())
    for (;;) {
      const operator = operatorOf(peek())
      const own = operator === null ? 0 : (powers[operator] ?? 0)
      if (operator === null || own <= power) break
      next()
      left = { kind: 'binary', operator, left, right: expression(own) }
    }
    depth -= 1
    return left
  }
  const prefix = (token: Token): Expression => {
    const { kind, text } = token
    if (kind === 'number') return { kind: 'literal', sql: text }
    if (kind === 'text') return { kind: 'literal', sql: `${escapeLiteral(text)}::text` }
    if (kind === 'name' && text === 'not') return { kind: 'unary', operator: 'not', of: expression(notPower) }
    if (kind === 'sign' && text === '-') return { kind: 'unary', operator: '-', of: expression(minusPower) }
    if (kind === 'sign' && text === '(') {
      const inner = expression(0)
      expect(')')
      return inner
    }
    if (kind !== 'name' || Object.hasOwn(powers, text)) throw new ExpressionError(`A value is missing ${where(token)}.`)
    if (peek().kind === 'sign' && peek().text === '(') return call(text)
    const literal = Object.hasOwn(literals, text) ? literals[text] : undefined
    if (literal !== undefined) return { kind: 'literal', sql: literal }
    return { kind: 'attribute', key: text }
  }
  const call = (name: string): Expression => {
    const definition = Object.hasOwn(functions, name) ? functions[name] : undefined
    if (!definition) throw new ExpressionError(`There is no function “${name}”.`)
    expect('(')
    const args = [expression(0)]
    while (peek().kind === 'sign' && peek().text === ',') {
      next()
      args.push(expression(0))
    }
    expect(')')
    const [min, max] = definition
    if (args.length < min || args.length > max)
      throw new ExpressionError(`“${name}” takes ${min === max ? min : `${min} to ${max}`} values.`)
    return { kind: 'call', name, args }
  }
  const whole = expression(0)
  if (peek().kind !== 'end') throw new ExpressionError(`It should end ${where(peek())}.`)
  return whole
}

function where({ kind, text }: Token): string {
  return kind === 'end' ? 'at the end' : `before “${text.slice(0, 40)}”`
}

function operatorOf({ kind, text }: Token): string | null {
  return (kind === 'sign' || kind === 'name') && Object.hasOwn(powers, text) ? text : null
}

/** The SQL of an expression. `columnOf` answers the quoted column of an attribute. */
export function expressionSql(source: string, columnOf: (key: string) => string): string {
  return sqlOf(parseExpression(source), columnOf)
}

function sqlOf(node: Expression, columnOf: (key: string) => string): string {
  const sql = (inner: Expression) => sqlOf(inner, columnOf)
  switch (node.kind) {
    case 'attribute':
      return columnOf(node.key)
    case 'literal':
      return node.sql
    case 'unary':
      return `(${node.operator} ${sql(node.of)})`
    case 'call':
      return functions[node.name]?.[2](...node.args.map(sql)) ?? 'null'
    case 'binary':
      return binarySql(node.operator, sql(node.left), sql(node.right))
  }
}

function binarySql(operator: string, left: string, right: string): string {
  if (operator === '||') return `((${left})::text || (${right})::text)`
  // Whole numbers divide like others, and by zero gives nothing instead of an error.
  if (operator === '/') return `((${left})::numeric / nullif((${right})::numeric, 0))`
  if (operator === '%') return `((${left}) % nullif(${right}, 0))`
  return `(${left} ${operator === '!=' ? '<>' : operator} ${right})`
}

/** Throws an ExpressionError for what may not be given as an expression now. */
export function checkExpression(source: string): void {
  let mentions = 0
  expressionSql(source, (key) => {
    mentions += 1
    return key
  })
  if (mentions > mentionLimit) throw new ExpressionError(`It names attributes at most ${mentionLimit} times.`)
}

/** The keys of the attributes that an expression is made of. */
export function expressionKeys(source: string): Set<string> {
  const keys = new Set<string>()
  expressionSql(source, (key) => {
    keys.add(key)
    return key
  })
  return keys
}

/** The same expression after one of its attributes was given another key. */
export function renameInExpression(source: string, from: string, to: string): string {
  const tokens = tokensOf(source)
  return tokens.reduceRight((text, { kind, text: name, at }, i) => {
    const isCall = tokens[i + 1]?.text === '(' && tokens[i + 1]?.kind === 'sign'
    if (kind !== 'name' || name !== from || isCall || Object.hasOwn(literals, name)) return text
    return text.slice(0, at) + to + text.slice(at + from.length)
  }, source)
}
