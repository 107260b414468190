/** Arguments of fields: those that page a list together, and here and there one by what the caller may not read. */
import { type GraphQLArgument, type GraphQLField, getNamedType, isNonNullType } from 'graphql'
import { isBaited, type Maker, makeValue } from './inputs.ts'
import type { Random } from './random.ts'
import type { Argument } from './tree.ts'

/** What the parts of one operation share. */
export type Draft = {
  maker: Maker
  left: number
  aliases: number
  asked: Set<string>
  /** Share of optional arguments that are given. */
  share: number
  /** Whether one argument is still to be about what may not be read. */
  baits: boolean
}

/** Arguments that page a list are made together: others would only be refused. */
const paging = new Set(['first', 'after', 'last', 'before', 'offset', 'orderBy', 'shuffle'])

export function makeArguments(draft: Draft, field: GraphQLField<unknown, unknown>, coordinate: string): Argument[] {
  const { maker } = draft
  const named = getNamedType(field.type).name
  const document = maker.documentOf(named) ?? maker.documentOf(field.name)
  const isList = field.args.some(({ name }) => name === 'after')
  const free = field.args.filter(({ name }) => !(isList && paging.has(name)))
  const verb = /^(update|delete|upsert)/.exec(field.name)?.[0] ?? ''
  const bait = baitOf(draft, field, document)
  const make = (arg: GraphQLArgument, grouped?: readonly string[]) =>
    makeArgument(maker, arg, document, draft.share, verb, grouped)
  const made = free.filter(({ name }) => name !== 'having').flatMap((arg) => make(arg))
  const grouped = keysOf(made.find(({ name }) => name === 'groupBy')?.value)
  made.push(...free.filter(({ name }) => name === 'having').flatMap((arg) => make(arg, grouped)))
  const paged = isList && maker.random.chance(draft.share * 2) ? pageArguments(maker, field, document) : []
  const others = [...made, ...paged].filter(({ name }) => name !== bait?.name)
  const all = bait ? [...others.filter(({ name }) => !paging.has(name)), bait] : others
  for (const { name } of all) draft.asked.add(`${coordinate}(${name})`)
  return all
}

/** An argument by what may not be read, the first of a draft that is to have one; some are left for what is deeper. */
function baitOf(draft: Draft, field: GraphQLField<unknown, unknown>, document: string | null): Argument | null {
  const { maker } = draft
  const baited = field.args.filter((arg) => isBaited(maker, arg.type))
  if (!draft.baits || baited.length === 0 || maker.random.chance(0.3)) return null
  draft.baits = false
  const { name, type } = maker.random.pick(baited)
  const remake = () => makeValue(maker, type, { key: name, document, input: '', depth: 0, isBait: true })
  return { name, type, value: remake(), isVariable: maker.random.chance(0.5), remake }
}

export function makeArgument(
  maker: Maker,
  arg: GraphQLArgument,
  document: string | null,
  share: number,
  verb = '',
  grouped?: readonly string[],
): Argument[] {
  const isRequired = isNonNullType(arg.type) && arg.defaultValue === undefined
  if (!isRequired && !maker.random.chance(share)) return []
  const mine = maker.changeable.get(document ?? '') ?? []
  const remake = () => {
    // A bulk form that finds one document too many is refused: some find what may be changed, and nothing else.
    if (arg.name === 'where' && verb && mine.length > 0 && maker.random.chance(0.75)) return fewOf(maker.random, mine)
    return makeValue(maker, arg.type, { key: arg.name, document, input: verb && capitalized(verb), depth: 0, grouped })
  }
  return [{ name: arg.name, type: arg.type, value: remake(), isVariable: maker.random.chance(0.5), remake }]
}

/** By what `groupBy` makes groups. */
function keysOf(groupBy: unknown): string[] {
  return [groupBy].flat().flatMap((item) => Object.keys(item ?? {}))
}

function fewOf(random: Random, ids: readonly string[]) {
  return { id: { in: Array.from({ length: 1 + random.below(3) }, () => random.pick(ids)) } }
}

function capitalized(verb: string): string {
  return verb.charAt(0).toUpperCase() + verb.slice(1)
}

function pageArguments(maker: Maker, field: GraphQLField<unknown, unknown>, document: string | null): Argument[] {
  const { random, pool } = maker
  const given = (name: string, value?: unknown): Argument[] => {
    const arg = field.args.find((one) => one.name === name)
    if (!arg) return []
    const remake = () => makeValue(maker, arg.type, { key: name, document, input: '', depth: 0 })
    const again = value === undefined ? { remake } : {}
    return [{ name, type: arg.type, value: value ?? remake(), isVariable: random.chance(0.4), ...again }]
  }
  const backward = random.chance(0.25)
  const size = backward ? given('last') : random.chance(0.5) ? given('first') : []
  const places = pool.places.get(getNamedType(field.type).name) ?? []
  if (places.length > 0 && random.chance(0.25)) {
    const { orderBy, cursor } = random.pick(places)
    const name = random.chance(backward ? 0.2 : 0.75) ? 'after' : 'before'
    const order = orderBy === undefined ? [] : given('orderBy', orderBy)
    return [...size, ...order, ...given(name, cursor)]
  }
  const order = [...(random.chance(0.5) ? given('orderBy') : []), ...(random.chance(0.05) ? given('shuffle') : [])]
  return [...size, ...order, ...(!backward && random.chance(0.12) ? given('offset') : [])]
}
