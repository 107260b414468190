import {
  coerceInputValue,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  getNamedType,
  GraphQLInputObjectType as InputObject,
} from 'graphql'
import { Invalid } from '../errors.ts'
import { newId } from '../lib/ids.ts'
import type { Input, Path } from './input.ts'
import { type CollectionModel, collectionOf, type ProjectModel } from './model.ts'
import { nestedFields } from './nested.ts'

/**
 * The input of one document, apart from the new documents that stand in it: each collection's functions decide on its
 * own documents.
 */
export type Given = {
  collection: CollectionModel
  type: GraphQLInputObjectType
  at: Path
  own: Input
  within: readonly { name: string; isList: boolean; given: readonly Given[] }[]
}

export function readGiven(
  model: ProjectModel,
  collection: CollectionModel,
  type: GraphQLInputType | undefined,
  input: Input,
  at: Path,
): Given {
  const shown = objectType(type)
  const fields = nestedFields(collection)
  const own: Record<string, unknown> = {}
  const within = Object.entries(input).flatMap(([name, value]) => {
    const field = fields.get(name)
    const isList = field?.kind === 'many'
    const rest = field && field.kind !== 'one' && value ? withoutNew(isList, value as Input) : null
    if (!field || !rest) {
      own[name] = value
      return []
    }
    if (rest.others) own[name] = rest.others
    const other = collectionOf(model, field.neighbour.collectionId)
    const fieldType = shown.getFields()[name]?.type
    const newType = isList ? objectType(fieldType).getFields().create?.type : fieldType
    const place = (i: number) => (isList ? [...at, name, 'create', `${i}`] : [...at, name])
    return [{ name, isList, given: rest.made.map((one, i) => readGiven(model, other, newType, one, place(i))) }]
  })
  return { collection, type: shown, at, own, within }
}

/** What is made in the field of an input, and what else it says; null where nothing is made. */
function withoutNew(isList: boolean, value: Input): { made: readonly Input[]; others: Input | null } | null {
  if (!isList) return { made: [value], others: null }
  const { create, ...others } = value
  if (create === null || create === undefined) return null
  return { made: create as Input[], others: Object.keys(others).length > 0 ? others : null }
}

function objectType(type: GraphQLInputType | undefined): GraphQLInputObjectType {
  const named = getNamedType(type)
  if (named instanceof InputObject) return named
  throw new Error('This is no input of documents.')
}

/** The input as a whole again. */
export function wholeOf({ own, within }: Given): Input {
  const input: Record<string, unknown> = { ...own }
  for (const { name, isList, given } of within) {
    const made = given.map(wholeOf)
    input[name] = isList ? { ...(own[name] as Input | undefined), create: made } : made[0]
  }
  return input
}

/** The new documents that stand in an input. */
export function madeWithin({ within }: Given): Given[] {
  return within.flatMap(({ given }) => given.flatMap((one) => [one, ...madeWithin(one)]))
}

/** Gives new documents their ids, so that a function is told the same ids as are written. */
export function withIds(given: Given): void {
  given.own = { ...given.own, id: given.own.id ?? newId('doc') }
}

/** Says why a function cannot have given this instead of `given`, null when it can. */
export function whyNotInstead(given: Given, value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'Each input is an object.'
  for (const [name, { kind }] of nestedFields(given.collection)) {
    const inner = (value as Input)[name]
    if (kind === 'one' || inner === null || inner === undefined) continue
    if (kind === 'new' || (inner as Input).create !== undefined) return 'An input cannot be given new documents.'
  }
  return null
}

/** Takes what a function gives instead: it is held to the types of the caller, as if the caller had given it. */
export function takeInstead(given: Given, value: Input, fixed: readonly string[]): void {
  const kept = Object.fromEntries(fixed.flatMap((key) => (key in given.own ? [[key, given.own[key]]] : [])))
  const coerced = coerceInputValue(
    { ...value, ...kept },
    given.type,
    (path, _value, error) => {
      const at = [...given.at, ...path.map(String)]
      throw new Invalid(`A function that decides on this has made it wrong: ${error.message}`, at)
    },
    true,
  )
  given.own = coerced as Input
}
