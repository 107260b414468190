/** Bursts of changes of one collection, in which no document changes twice: so the rows before and after are both known. */
import type { Random } from '../fuzz/random.ts'
import { type Name, types } from './collections.ts'
import { type Stage, users } from './stage.ts'
import type { Rows } from './views.ts'

const ids = Array.from({ length: 36 }, (_, i) => `d${i}`)

const roles = [
  'any',
  'users',
  'guests',
  'user:ann',
  'user:bob',
  'user:cid',
  'label:vip',
  'label:staff',
  'users/verified',
]

/** Mutations to be sent at once, in any order. */
export type Change = { query: string; variables: object }

type Given = { random: Random; collection: Name; rows: Record<Name, Rows> }

/**
 * A deleted author is taken out of posts, whose other relations must not change besides: it is deleted alone. What a
 * deleted post takes along are comments, of which nothing else is written.
 */
export function makeBurst(given: Given): Change[] {
  const { random, collection, rows } = given
  const present = [...rows[collection].keys()]
  if (collection === 'authors' && present.length > 20 && random.chance(0.3))
    return [deleteOne(collection, random.pick(present))]
  const chosen = ids.filter(() => random.chance(0.6))
  const old = chosen.filter((id) => rows[collection].has(id))
  const fresh = chosen.filter((id) => !rows[collection].has(id))
  const changes: Change[] = []
  const deleted = collection === 'authors' ? [] : old.splice(0, random.below(Math.ceil(old.length / 3) + 1))
  if (random.chance(0.5)) changes.push(...deleted.map((id) => deleteOne(collection, id)))
  else if (deleted.length > 0) changes.push(deleteMany(collection, deleted))
  const upserted = [...old.splice(0, random.below(4)), ...fresh.splice(0, random.below(4))]
  if (upserted.length > 0) changes.push(writeMany(given, 'upsert', upserted))
  const together = old.splice(0, random.below(6))
  if (together.length > 0) changes.push(updateMany(given, together))
  changes.push(...old.map((id) => writeOne(given, 'update', id)))
  if (random.chance(0.5)) changes.push(...fresh.map((id) => writeOne(given, 'create', id)))
  else if (fresh.length > 0) changes.push(writeMany(given, 'create', fresh))
  return changes
}

export async function write({ ask, key }: Stage, changes: readonly Change[]): Promise<void> {
  for (let i = 0; i < changes.length; i += 4)
    await Promise.all(changes.slice(i, i + 4).map(({ query, variables }) => ask(key, query, variables)))
}

function inputOf({ random, collection, rows }: Given, id: string): object {
  const { pick } = random
  const maybe = (name: Name) => (rows[name].size === 0 || random.chance(0.2) ? null : pick([...rows[name].keys()]))
  const [author, editor] = [maybe('authors'), maybe('authors')]
  const related = {
    authors: {},
    posts: { author, editor: editor === author ? null : editor },
    comments: { post: maybe('posts') },
  }
  const permissions = roles.filter(() => random.chance(0.2)).map((role) => ({ right: 'READ', role }))
  return {
    id,
    title: pick(['x', 'y', 'z']),
    views: random.chance(0.1) ? null : random.below(7),
    draft: pick([true, false, null]),
    owner: pick([...users, null]),
    note: pick(['a', 'b "quoted"\n', 'ü', null]),
    ...related[collection],
    ...(collection === 'posts' && { permissions }),
  }
}

/** An update may say little. */
function partOf(given: Given, id: string): object {
  const all = Object.entries(inputOf(given, id))
  if (given.random.chance(0.4)) return Object.fromEntries(all)
  const together = ['id', 'author', 'editor']
  return Object.fromEntries(all.filter(([key]) => together.includes(key) || given.random.chance(0.4)))
}

function writeOne(given: Given, verb: 'create' | 'update', id: string): Change {
  const { type } = types[given.collection]
  const name = verb === 'create' ? `Create${type}Input` : `Update${type}Input`
  const input = verb === 'create' ? inputOf(given, id) : partOf(given, id)
  return { query: `mutation ($input: ${name}!) { ${verb}${type}(input: $input) { id } }`, variables: { input } }
}

function writeMany(given: Given, verb: 'create' | 'upsert', chosen: readonly string[]): Change {
  const { type } = types[given.collection]
  const name = verb === 'create' ? `Create${type}Input` : `Upsert${type}Input`
  const inputs = chosen.map((id) => inputOf(given, id))
  return { query: `mutation ($inputs: [${name}!]!) { ${verb}${type}s(inputs: $inputs) { id } }`, variables: { inputs } }
}

function updateMany(given: Given, chosen: readonly string[]): Change {
  const { type } = types[given.collection]
  const { title, draft } = inputOf(given, '') as Record<string, unknown>
  const where = { id: { in: chosen } }
  return {
    query: `mutation ($where: ${type}Where!, $title: String, $draft: Boolean) { update${type}s(where: $where, set: { title: $title, draft: $draft }) { count } }`,
    variables: { where, title, draft },
  }
}

const deleteOne = (collection: Name, id: string): Change => ({
  query: `mutation ($id: ID!) { delete${types[collection].type}(id: $id) }`,
  variables: { id },
})

const deleteMany = (collection: Name, chosen: readonly string[]): Change => ({
  query: `mutation ($where: ${types[collection].type}Where!) { delete${types[collection].type}s(where: $where) { count } }`,
  variables: { where: { id: { in: chosen } } },
})
