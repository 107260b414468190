/** Values of attributes as the server writes them back, so that what is spelled in another way is no change. */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'

/** What the server would refuse stays as it is. */
export function writtenAs(type: unknown, value: unknown): unknown {
  const text = typeof value === 'number' ? plainNumber(value) : value
  switch (type) {
    case 'INTEGER':
    case 'FLOAT':
      return value === 0 ? 0 : value
    case 'BIGINT':
      return matches(text, /^-?\d+$/) ? String(BigInt(text)) : value
    case 'DECIMAL':
      return matches(text, /^-?\d+(\.\d+)?$/) ? decimal(text) : value
    case 'DATETIME':
      return typeof value === 'string' ? moment(value) : value
    case 'UUID':
      return typeof value === 'string' ? value.toLowerCase() : value
    case 'IP':
      return typeof value === 'string' && isAddress(value) ? address(value) : value
    default:
      return value
  }
}

function matches(text: unknown, pattern: RegExp): text is string {
  return typeof text === 'string' && pattern.test(text)
}

/** Without an exponent, which `String` writes from 1e21 on and below 1e-6. */
function plainNumber(value: number): string {
  const text = String(value)
  return text.includes('e') ? value.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 100 }) : text
}

function decimal(text: string): string {
  const digits = text.replace(/^(-?)0+(?=\d)/, '$1')
  return /[1-9]/.test(digits) ? digits : digits.replace('-', '')
}

const momentText = z.iso.datetime({ offset: true })

/** JavaScript by itself would read `no 1`, a 30th of February, and a text without a zone by that of this machine. */
function moment(text: string): string {
  return momentText.safeParse(text).success ? new Date(text).toISOString() : text
}

/** A number by itself, such as `10`, would be one, too. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
}

function address(text: string): string {
  const parsed = ipaddr.process(text)
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()
}

export type RuleInFile = { right: string; role: string; where: Readonly<Record<string, unknown>> }
type Types = Readonly<Record<string, { type: string }>>

/** Rules with one right each, `write` being three, and the values in their conditions as above. */
export function rulesWrittenAs(rules: readonly RuleInFile[], attributes: Types): RuleInFile[] {
  const types = { ...attributes, createdAt: { type: 'DATETIME' }, updatedAt: { type: 'DATETIME' } }
  return rules.flatMap((rule) => {
    const rights = rule.right === 'write' ? ['create', 'update', 'delete'] : [rule.right]
    return rights.map((right) => ({ ...rule, right, where: conditionWrittenAs(rule.where, types) }))
  })
}

function conditionWrittenAs(where: Readonly<Record<string, unknown>>, types: Types): Record<string, unknown> {
  return mapObject(where, (key, value) => {
    if (key === 'not' && isObject(value)) return conditionWrittenAs(value, types)
    if (Array.isArray(value)) return value.map((one) => (isObject(one) ? conditionWrittenAs(one, types) : one))
    const type = Object.hasOwn(types, key) ? types[key]?.type : undefined
    if (!isObject(value)) return value
    return mapObject(value, (_operator, operand) =>
      Array.isArray(operand) ? operand.map((one) => writtenAs(type, one)) : writtenAs(type, operand),
    )
  })
}

function mapObject(object: Readonly<Record<string, unknown>>, map: (key: string, value: unknown) => unknown) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(key, value)]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
