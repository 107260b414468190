/** Fills the pool: with what both databases hold, and with what answers show. */
import { type Answered, walk } from './answers.ts'
import type { Principal } from './data.ts'
import { createPool, type Pool, remember } from './pool.ts'
import { owner, type Pair, type World } from './stage.ts'
import { type OperationTree, plain, print } from './tree.ts'
import { viewsOf } from './views.ts'

/** What is known before the first operation: the whole of both databases, and what of it the principal can read. */
export async function firstPool({ a, b }: Pair, principal: Principal): Promise<Pool> {
  const pool = createPool()
  for (const [world, caller] of [[a, owner] as const, [b, owner] as const, [a, principal] as const]) {
    for (const tree of viewsOf(await world.schemaFor(caller), world.common)) {
      const isOwner = caller === owner
      collect(pool, tree, await ask(world, caller, tree), isOwner)
      if (isOwner) await harvestPlaces(pool, world, tree)
    }
  }
  for (const [type, ids] of pool.readable) {
    pool.hidden.set(
      type,
      (pool.hidden.get(type) ?? []).filter((id) => !ids.includes(id)),
    )
  }
  for (const role of principal.roles ?? []) remember(pool.values, 'String role', role)
  return pool
}

async function ask(world: World, caller: Principal, tree: OperationTree): Promise<Answered> {
  const answer: Answered = JSON.parse(await world.run(caller, print(tree), 0))
  if (answer.errors) throw new Error(`A view is refused: ${JSON.stringify(answer.errors[0])}`)
  return answer
}

function collect(pool: Pool, tree: OperationTree, { data }: Answered, isOwner: boolean): void {
  walk(tree, data, ({ field, value }, parent) => {
    if (field.name === 'id' && typeof value === 'string') {
      remember(isOwner ? pool.hidden : pool.readable, parent.type, value)
      if (isOwner) remember(pool.values, 'String id', value)
    } else if (isOwner && field.children.length === 0 && value !== null && field.name !== 'totalCount') {
      for (const one of Array.isArray(value) ? value : [value]) {
        remember(pool.values, `${field.type} ${field.name}`, one)
        remember(pool.values, field.type, one)
      }
    }
  })
}

/** The cursors of all rows, those that the principal may not read too, in the order of one field after another. */
async function harvestPlaces(pool: Pool, world: World, view: OperationTree): Promise<void> {
  const schema = await world.schemaFor(owner)
  const [list] = view.children
  if (list?.kind !== 'field') return
  const orderBy = schema
    .getQueryType()
    ?.getFields()
    [list.name]?.args.find(({ name }) => name === 'orderBy')
  const nodes = list.children.find((one) => one.kind === 'field' && one.name === 'nodes')
  if (!orderBy || nodes?.kind !== 'field') return
  const keys = nodes.children.flatMap((one) => (one.kind === 'field' && one.children.length === 0 ? [one.name] : []))
  for (const key of keys) {
    const tree = `query { ${list.name}(first: 100, orderBy: [{ ${key}: ${key.length % 2 ? 'ASC' : 'DESC'} }]) { edges { cursor } } }`
    const answer = JSON.parse(await world.run(owner, { query: tree, variables: {} }, 0))
    const value = [{ [key]: key.length % 2 ? 'ASC' : 'DESC' }]
    const edges: { cursor: string }[] = answer.data?.[list.name]?.edges ?? []
    const places = pool.places.get(list.type) ?? []
    pool.places.set(list.type, [...places, ...edges.map(({ cursor }) => ({ orderBy: value, cursor }))])
  }
}

/** Takes ids and cursors from an answer to the principal. */
export function harvest(pool: Pool, tree: OperationTree, { data }: Answered): void {
  walk(tree, data, ({ field, value }, parent) => {
    if (typeof value === 'string' && field.name === 'id' && pool.hidden.has(parent.type))
      remember(pool.readable, parent.type, value)
    const orderBy = field.args.find(({ name }) => name === 'orderBy')
    const cursors = cursorsIn(value)
    if (cursors.length === 0 || !field.type.endsWith('Connection')) return
    const places = pool.places.get(field.type) ?? []
    for (const cursor of cursors.slice(0, 2)) places.push({ orderBy: orderBy && plain(orderBy.value), cursor })
    if (places.length > 800) places.splice(0, places.length - 800)
    pool.places.set(field.type, places)
  })
}

function cursorsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { edges, pageInfo } = value as { edges?: unknown; pageInfo?: Record<string, unknown> }
  const ofEdges = Array.isArray(edges) ? edges.map((edge) => edge?.cursor) : []
  return [...ofEdges, pageInfo?.startCursor, pageInfo?.endCursor].filter((one) => typeof one === 'string')
}
