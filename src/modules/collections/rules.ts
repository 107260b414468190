import type { Attribute } from '../../../prisma/client/client.ts'
import { types } from '../../documents/types.ts'
import { saysNothing } from '../../documents/where.ts'
import { Invalid } from '../../errors.ts'
import { parsePermission, type Right, whyNotRole } from '../permissions/roles.ts'

/** Whoever holds `role` has `right` on the documents that match `where`. */
export type NewRule = { right: Right | 'write'; role: string; where?: unknown }

/** Most rules of a collection. */
export const ruleLimit = 50
/** Most comparisons, `and`, `or` and `not` of one rule, and how deep they go. */
const partLimit = 100
const depthLimit = 10

/** What stands for the id of the caller. */
const callersId = '$userId'

type Field = Pick<Attribute, 'key' | 'type' | 'list' | 'encrypted' | 'relation'>
type Path = readonly string[]

const id: Field = { key: 'id', type: 'RELATION', list: false, encrypted: false, relation: 'MANY_TO_ONE' }
const moment: Field = { key: 'createdAt', type: 'DATETIME', list: false, encrypted: false, relation: null }
const own: readonly Field[] = [id, moment, { ...moment, key: 'updatedAt' }]

const texts: readonly Attribute['type'][] = ['STRING', 'TEXT', 'EMAIL', 'URL']

/** Rules as they are stored. Throws Invalid with the path of what is wrong in them. */
export function ruleTexts(rules: readonly NewRule[], attributes: readonly Field[], path: Path): string {
  if (rules.length > ruleLimit) throw new Invalid(`A collection has at most ${ruleLimit} rules.`, path)
  const fields = new Map([...own, ...attributes].map((field) => [field.key, field]))
  const read = rules.flatMap(({ right, role, where }, i) => {
    const at = [...path, `${i}`]
    const permissions = parsePermission(`${right}:${role}`)
    if (permissions.length === 0) throw new Invalid(whyNotRole(role), [...at, 'role'])
    const condition = readWhere(where, fields, [...at, 'where'], depthLimit, { left: partLimit })
    return permissions.map((permission) => ({ ...permission, where: condition }))
  })
  return JSON.stringify(read)
}

type Count = { left: number }

function readWhere(
  where: unknown,
  fields: ReadonlyMap<string, Field>,
  path: Path,
  depth: number,
  count: Count,
): Record<string, unknown> {
  if (depth === 0) throw new Invalid(`A rule is at most ${depthLimit} levels deep.`, path)
  const entries = objectEntries(where, path).map(([key, value]): [string, unknown] => {
    const at = [...path, key]
    countPart(count, at)
    const below = (inner: unknown, place: Path) => {
      requireParts(objectEntries(inner, place), place)
      return readWhere(inner, fields, place, depth - 1, count)
    }
    if (key === 'not') return [key, below(value, at)]
    if (key === 'and' || key === 'or') {
      if (!Array.isArray(value)) throw new Invalid('This is a list of conditions.', at)
      if (key === 'and') requireParts(value, at)
      return [key, value.map((one, i) => below(one, [...at, `${i}`]))]
    }
    const field = fields.get(key)
    if (!field) throw new Invalid('There is no such attribute.', at)
    return [key, readComparisons(field, value, at, count)]
  })
  return Object.fromEntries(entries)
}

function countPart(count: Count, path: Path): void {
  count.left -= 1
  if (count.left < 0) throw new Invalid(`A rule has at most ${partLimit} parts.`, path)
}

/** A program that has no value leaves `{ writer: {} }` of `{ writer: { eq: undefined } }`, which all documents would match. */
function requireParts(parts: readonly unknown[], path: Path): void {
  if (parts.length === 0) throw saysNothing(path)
}

function readComparisons(field: Field, value: unknown, path: Path, count: Count): Record<string, unknown> {
  const { type, list, encrypted, relation } = field
  if (encrypted) throw new Invalid('An encrypted attribute cannot be compared.', path)
  if (relation === 'MANY_TO_MANY') throw new Invalid('A rule looks at the document alone.', path)
  const isComparable = type === 'RELATION' || types[type].compare !== undefined
  const parts = objectEntries(value, path)
  requireParts(parts, path)
  const entries = parts.map(([operator, operand]): [string, unknown] => {
    const at = [...path, operator]
    countPart(count, at)
    const read = Object.hasOwn(operators, operator) ? operators[operator] : undefined
    if (!read && relation) throw new Invalid('A rule sees only the id that a relation points at.', at)
    if (!read) throw new Invalid('There is no such operator.', at)
    if (list ? operator !== 'has' && operator !== 'isNull' : operator === 'has')
      throw new Invalid(list ? 'A list can be asked `has` and `isNull`.' : 'Only a list has items.', at)
    if (operator !== 'isNull' && !isComparable) throw new Invalid(`A ${type} can be asked only whether it is null.`, at)
    return [operator, read(field, operand, at)]
  })
  return Object.fromEntries(entries)
}

type Reader = (field: Field, operand: unknown, path: Path) => unknown

const operators: Readonly<Record<string, Reader>> = {
  eq: readOperand,
  ne: readOperand,
  in: readOperands,
  notIn: readOperands,
  gt: readOrdered,
  gte: readOrdered,
  lt: readOrdered,
  lte: readOrdered,
  contains: readPart,
  startsWith: readPart,
  endsWith: readPart,
  has: readOperand,
  isNull: (_field, operand, path) => {
    if (typeof operand !== 'boolean') throw new Invalid('This is true or false.', path)
    return operand
  },
}

function readOperand({ type }: Field, operand: unknown, path: Path): unknown {
  const parse = types[type === 'RELATION' ? 'ID' : type].parse
  if (operand !== callersId) {
    if (isMistyped(operand))
      throw new Invalid(`“${operand}” is not known: “${callersId}” is the id of the caller.`, path)
    return parse(operand, path)
  }
  if (type !== 'RELATION' && !texts.includes(type))
    throw new Invalid('An id is compared with texts, lists of texts and relations.', path)
  return operand
}

/** A text that nobody means: compared with it, a rule would let nobody in. Others may begin with `$`, as `$USD` does. */
const isMistyped = (operand: unknown) =>
  typeof operand === 'string' && /^\$(user|uid|me|caller|account)(_?id)?(\.\w+)*$/i.test(operand)

function readOperands(field: Field, operand: unknown, path: Path): unknown {
  if (!Array.isArray(operand) || operand.length > 100) throw new Invalid('This is a list of at most 100 values.', path)
  return operand.map((one, i) => {
    if (one === callersId)
      throw new Invalid(`Compare “${callersId}” with \`eq\`, \`ne\` or \`has\`.`, [...path, `${i}`])
    return readOperand(field, one, [...path, `${i}`])
  })
}

function readOrdered(field: Field, operand: unknown, path: Path): unknown {
  if (field.type === 'BOOLEAN' || field.type === 'RELATION') throw new Invalid('This has no order.', path)
  if (operand === callersId) throw new Invalid(`Compare “${callersId}” with \`eq\`, \`ne\` or \`has\`.`, path)
  return readOperand(field, operand, path)
}

function readPart(field: Field, operand: unknown, path: Path): unknown {
  if (!texts.includes(field.type)) throw new Invalid('Only a text has parts.', path)
  return readOrdered(field, operand, path)
}

function objectEntries(value: unknown, path: Path): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Invalid('This is an object of names and what is asked of them.', path)
  return Object.entries(value)
}
