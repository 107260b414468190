/** Subscriptions made up: who listens to what, by which filter, for which fields, over which transport. */
import type { Random } from '../fuzz/random.ts'
import { marker, type Name, names, types } from './collections.ts'
import type { Principal } from './stage.ts'

export type Subscription = {
  principal: Principal
  transport: 'websocket' | 'sse'
  collection: Name
  where: object | null
  /** The operation, and the query of the same fields of the documents that it is about. */
  operation: string
  query: string
}

export const most = 100

export function makeSubscription(random: Random, principal: Principal): Subscription {
  const collection = random.pick(names)
  const { one, type } = types[collection]
  const selection = makeSelection(random, principal, collection)
  const change = `cursor kind id changedFields node { ${selection} }`
  return {
    principal,
    transport: random.chance(0.4) ? 'sse' : 'websocket',
    collection,
    where: random.chance(0.25) ? null : makeWhere(random),
    operation: `subscription ($where: ${type}Where, $after: String) { ${one}Changed(where: $where, after: $after) { ${change} } }`,
    query: `query ($where: ${type}Where) { ${collection}(where: $where, first: ${most}) { totalCount nodes { ${selection} } } }`,
  }
}

const some = <T>(random: Random, items: readonly T[], probability = 0.5): T[] =>
  items.filter(() => random.chance(probability))

const list = (field: string) => `${field}(first: 3, orderBy: [{ id: ASC }]) { totalCount nodes { id title } }`

const relations: Record<Name, readonly string[]> = {
  authors: [list('posts'), 'written: posts { totalCount }'],
  posts: ['author { id title }', 'by: author { views }', list('comments')],
  comments: ['post { title draft }', 'on: post { id author { title } }'],
}

/** Of these, a guest is shown none. */
const restricted: Record<Name, readonly string[]> = {
  authors: ['note', 'n: note', list('edited')],
  posts: ['note', 'n: note', 'editor { id title note }', 'author { note }'],
  comments: ['note', 'post { note }', 'post { editor { title } }'],
}

function makeSelection(random: Random, { kind }: Principal, collection: Name): string {
  const own = some(random, ['title', 'views', 'draft', 't: title', 'updatedAt', 'owner', '__typename'])
  const more = [
    ...some(random, relations[collection], 0.3),
    ...(kind === 'guest' ? [] : some(random, restricted[collection], 0.35)),
  ]
  const permissions = collection === 'posts' && random.chance(0.2) ? ['permissions { right role }'] : []
  return ['id', 'version', ...own, ...more, ...permissions].join(' ')
}

/** What lets the marker through: its title is its own, its views are many, and it has neither draft nor owner. */
const lets: ((random: Random) => object)[] = [
  ({ pick }) => ({ title: { in: [pick(['x', 'y', 'z']), marker] } }),
  ({ pick }) => ({ title: { ne: pick(['x', 'y', 'z']) } }),
  ({ below }) => ({ views: { gt: below(5) } }),
  ({ pick }) => ({ draft: { ne: pick([true, false]) } }),
  () => ({ owner: { isNull: true } }),
  ({ pick }) => ({ not: { owner: { eq: pick(['ann', 'bob']) } } }),
  ({ pick }) => ({ not: { and: [{ draft: { eq: true } }, { title: { eq: pick(['x', 'y']) } }] } }),
  ({ below }) => ({ id: { notIn: [`d${below(9)}`, `d${below(9)}`] } }),
]
const others: ((random: Random) => object)[] = [
  ({ pick }) => ({ title: { eq: pick(['x', 'y', 'z']) } }),
  ({ below }) => ({ views: { lte: below(5) } }),
  ({ pick }) => ({ draft: { eq: pick([true, false]) } }),
  ({ pick }) => ({ owner: { in: [pick(['ann', 'bob']), 'cid'] } }),
]

function makeWhere(random: Random): object {
  const one = () => random.pick(lets)(random)
  if (random.chance(0.4)) return one()
  if (random.chance(0.4)) return { and: [one(), one()] }
  return { or: [random.pick(others)(random), { and: [random.pick(others)(random), one()] }, one()] }
}
