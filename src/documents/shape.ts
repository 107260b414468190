import {
  GraphQLBoolean,
  GraphQLID,
  type GraphQLInputType,
  GraphQLInt,
  type GraphQLNullableType,
  GraphQLString,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'
import { createSlot } from './slots.ts'

/** The variables of an operation without their values: what statements are compiled from, and kept by. */
export type Shape = {
  /** Equal for variables that the same statements serve. */
  key: string
  /** The variables with slots in the place of values. */
  variables: Record<string, unknown>
}

type Part = { key: string; value: unknown }

/** Makes the shape of coerced variables. `literal` are the paths whose values statements depend on. */
export type Shaper = (variables: Readonly<Record<string, unknown>>, literal: ReadonlySet<string>) => Shape

/** With `whole`, lists and objects are one slot each: what is written comes as one parameter, whatever its shape. */
export function createShaper(types: ReadonlyMap<string, GraphQLInputType>, whole = false): Shaper {
  return (variables, literal) => {
    const shape: Shape = { key: '', variables: {} }
    for (const [name, type] of types) {
      if (!Object.hasOwn(variables, name)) {
        shape.key += ';'
        continue
      }
      const isOne = whole && !isLeafType(isNonNullType(type) ? type.ofType : type) && variables[name] != null
      const { key, value } = isOne
        ? { key: '$', value: createSlot([name]) }
        : part(type, variables[name], [name], literal)
      shape.key += `${key};`
      shape.variables[name] = value
    }
    return shape
  }
}

function part(given: GraphQLInputType, value: unknown, path: readonly string[], literal: ReadonlySet<string>): Part {
  const type: GraphQLNullableType = isNonNullType(given) ? given.ofType : given
  // As JSON has it, which no other value is.
  if (value === null || value === undefined) return { key: 'null', value }
  if (isListType(type))
    return Array.isArray(value) ? list(type.ofType as GraphQLInputType, value, path, literal) : exact(value)
  if (isInputObjectType(type)) {
    const fields = type.getFields()
    return object(Object.entries(value), (name) => fields[name]?.type, path, literal)
  }
  return leaf(type, value, path, literal)
}

function leaf(type: unknown, value: unknown, path: readonly string[], literal: ReadonlySet<string>): Part {
  if (!isLeafType(type) || isEnumType(type) || type === GraphQLBoolean || literal.has(path.join('.')))
    return exact(value)
  return { key: '$', value: createSlot(path) }
}

/** A list of plain values is one parameter; of others, each item counts. */
function list(
  item: GraphQLInputType,
  values: readonly unknown[],
  path: readonly string[],
  literal: ReadonlySet<string>,
): Part {
  const type = isNonNullType(item) ? item.ofType : item
  if (isLeafType(type) && !values.includes(null)) return leaf(type, values, path, literal)
  const parts = values.map((value, i) => part(item, value, [...path, `${i}`], literal))
  return { key: `[${parts.map(({ key }) => key).join(',')}]`, value: parts.map(({ value }) => value) }
}

function object(
  entries: readonly (readonly [string, unknown])[],
  typeOf: (name: string) => GraphQLInputType | undefined,
  path: readonly string[],
  literal: ReadonlySet<string>,
): Part {
  let key = '{'
  const made: Record<string, unknown> = {}
  for (const [name, value] of entries) {
    const type = typeOf(name)
    const inner = type ? part(type, value, [...path, name], literal) : exact(value)
    key += `${name}:${inner.key},`
    made[name] = inner.value
  }
  return { key: `${key}}`, value: made }
}

function exact(value: unknown): Part {
  return { key: JSON.stringify(value) ?? '', value }
}

/** Variables that need no coercion, since they are plain values of plain types; null where graphql-js has to look. */
export function plainVariables(
  types: ReadonlyMap<string, GraphQLInputType>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> | null {
  const variables: Record<string, unknown> = {}
  for (const [name, type] of types) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    const plain = isNonNullType(type) ? type.ofType : type
    if (!isPlain(plain, value)) return null
    variables[name] = value
  }
  return variables
}

function isPlain(type: unknown, value: unknown): boolean {
  if (type === GraphQLID || type === GraphQLString) return typeof value === 'string'
  if (type === GraphQLBoolean) return typeof value === 'boolean'
  return type === GraphQLInt && Number.isInteger(value) && Math.abs(Number(value) + 0.5) < 2 ** 31
}
