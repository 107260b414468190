import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLLeafType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'

/** A root field, and what it is called with. */
export type Call = {
  root: 'query' | 'mutation' | 'subscription'
  field: string
  /** The operation, with a variable for each argument, named like it. */
  query: string
  /** Arguments that are right. */
  base: () => Given
}

/** A place in the arguments of a root field where a caller can put a value. */
export type Spot = Call & {
  /** `input.attributes.0.key` */
  path: readonly string[]
  type: GraphQLLeafType
  /** Names it among all of its kind: `AttributeInput.key`. */
  coordinate: string
  /** Arguments that are right but for what stands at `path`. */
  variablesWith: (value: unknown) => Given
}

/** A value that is right for an input, by its name and the field or type that it is part of; undefined for none. */
export type Sample = (name: string, owner: string) => unknown

type Input = GraphQLArgument | GraphQLInputField
type Path = readonly string[]
type Leaf = Pick<Spot, 'path' | 'type' | 'coordinate'>
type Given = Readonly<Record<string, unknown>>

type Field = GraphQLField<unknown, unknown>

/** Every root field with arguments that are right. */
export function callsOf(schema: GraphQLSchema, sample: Sample): Call[] {
  return fieldsOfRoots(schema).map(([root, field]) => callOf(root, field, sample))
}

/** Every place of every root field's arguments. */
export function spotsOf(schema: GraphQLSchema, sample: Sample): Spot[] {
  return fieldsOfRoots(schema).flatMap(([root, field]) => {
    const call = callOf(root, field, sample)
    return leavesOf(field.name, field.args, []).map((leaf) => ({
      ...call,
      ...leaf,
      variablesWith: (value) => objectOf({ sample, owner: field.name, inputs: field.args, path: leaf.path, value }),
    }))
  })
}

function fieldsOfRoots(schema: GraphQLSchema): [Call['root'], Field][] {
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }
  return Object.entries(roots).flatMap(([root, type]) =>
    Object.values(type?.getFields() ?? {}).map((field): [Call['root'], Field] => [root as Call['root'], field]),
  )
}

function callOf(root: Call['root'], field: Field, sample: Sample): Call {
  const base = () => objectOf({ sample, owner: field.name, inputs: field.args, path: [], value: null })
  return { root, field: field.name, query: operationOf(root, field), base }
}

function operationOf(root: string, { name, args, type }: Field): string {
  const variables = args.map((arg) => `$${arg.name}: ${arg.type}`).join(', ')
  const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ')
  const { name: typeName } = getNamedType(type)
  // Of a list its rows, so that it shows when there are any.
  const fields = typeName.endsWith('Connection') ? 'nodes { __typename }' : '__typename'
  const selection = isLeafType(getNamedType(type)) ? '' : ` { ${fields} }`
  return `${root}${variables && ` (${variables})`} { ${name}${given && `(${given})`}${selection} }`
}

/** An input type that holds itself is entered once on each way. */
function leavesOf(owner: string, inputs: readonly Input[], way: Path, seen: Path = []): Leaf[] {
  return inputs.flatMap((input) => {
    const type = getNamedType(input.type)
    const path = [...way, input.name]
    if (!isInputObjectType(type)) return [{ path, type, coordinate: `${owner}.${input.name}` }]
    if (seen.includes(type.name)) return []
    return leavesOf(type.name, fieldsOf(type), isMany(input) ? [...path, '0'] : path, [...seen, type.name])
  })
}

type Making = { sample: Sample; owner: string; inputs: readonly Input[]; path: Path; value: unknown; known?: Given }

/** The least that inputs must hold, with `value` at `path` and what must stand beside it on the way there. */
function objectOf({ sample, owner, inputs, path: [name, ...rest], value, known = {} }: Making): Given {
  const object: Record<string, unknown> = { ...known }
  for (const input of inputs) {
    const given = object[input.name] ?? sample(input.name, owner)
    if (input.name === name)
      object[name] = rest.length === 0 ? value : inside(input, given, { sample, path: rest, value })
    else if (given !== undefined) object[input.name] = given
    else if (isNonNullType(input.type)) object[input.name] = inside(input, undefined, { sample, path: [], value })
  }
  return object
}

function inside(input: Input, given: unknown, making: Pick<Making, 'sample' | 'path' | 'value'>): unknown {
  const type = getNamedType(input.type)
  const path = isMany(input) ? making.path.slice(1) : making.path
  const known = (Array.isArray(given) ? given[0] : given) as Given | undefined
  const one = isInputObjectType(type)
    ? objectOf({ ...making, path, owner: type.name, inputs: fieldsOf(type), known: known ?? {} })
    : plain(type)
  return isMany(input) ? [one] : one
}

function plain(type: GraphQLLeafType): unknown {
  if (isEnumType(type)) return type.getValues()[0]?.name
  const plainValues: Given = { Int: 1, Boolean: true, JSON: {}, DateTime: '2026-01-01T00:00:00.000Z' }
  return plainValues[type.name] ?? 'sample'
}

const fieldsOf = (type: { getFields: () => Record<string, Input> }): Input[] => Object.values(type.getFields())
const isMany = ({ type }: Input): boolean => isListType(getNullableType(type))
