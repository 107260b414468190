/** What tests of live queries share: the posts of a blog, and what a client makes of what it is told. Importing it makes a world. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { createSchemas, type Schemas } from '../../schema/schemas.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import type { Context } from '../context.ts'
import { type Blog, createBlog } from './blog.ts'
import { listen, operate, type Payloads } from './operation.ts'
import { within } from './stream.ts'
import { createWorld, type World } from './world.ts'

export let world: World
export let schemas: Schemas
let relay: Relay
export let blog: Blog

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  relay = startRelay(world.app)
  blog = await createBlog(world)
})
after(async () => {
  for (const stream of open) await stream.return()
  await relay.stop()
  await schemas.close()
  await world.close()
})

export async function run(source: string) {
  const { data, errors } = await operate(schemas, blog.owner, `mutation { made: ${source} }`)
  assert.deepEqual(errors, [])
  return data?.made
}

export const readers = (roles: string[]) =>
  `permissions: [${roles.map((role) => `{ right: READ, role: "${role}" }`).join(', ')}]`
export const create = async (title: string, views: number, roles = ['users'], more = '') =>
  (await run(`createPost(input: { title: "${title}", views: ${views}, ${readers(roles)}, ${more} }) { id }`)).id
export const update = (id: string, set: string) => run(`updatePost(input: { id: "${id}", ${set} }) { id }`)
export const remove = (id: string) => run(`deletePost(id: "${id}")`)

export const selection = 'id title views author { name }'
export const live = (args: string) =>
  `subscription { live: postsLive(${args}) { cursor snapshot nodes { ${selection} } changes { kind id index node { ${selection} } } } }`

type Node = { id: string; title: string; views: number; author: { name: string } | null }
type Payload = {
  cursor: string
  snapshot: boolean
  nodes: Node[] | null
  changes: { kind: string; id: string; index: number | null; node: Node | null }[]
}

const open: Payloads[] = []

export async function watch(ctx: Context, source: string): Promise<Payloads> {
  const stream = await listen(schemas, ctx, source)
  open.push(stream)
  return stream
}

export async function next(stream: Payloads): Promise<Payload> {
  const { value } = await within(stream.next(), 5_000, 'nothing came')
  assert.deepEqual(value?.errors, [])
  return value?.data?.live
}

/** What a client does with what it is told. */
export function apply(list: readonly Node[], { snapshot, nodes, changes }: Payload): Node[] {
  if (snapshot) return nodes ?? []
  const made = [...list]
  for (const { kind, id, index, node } of changes) {
    const at = made.findIndex((one) => one.id === id)
    const place = index ?? -1
    if (kind === 'ADDED') assert.equal(at, -1, `${id} was there`)
    else assert.notEqual(at, -1, `${id} was not there`)
    if (kind === 'CHANGED') assert.equal(at, place)
    if (kind !== 'ADDED') made.splice(at, 1)
    if (kind !== 'REMOVED' && node) made.splice(place, 0, node)
  }
  return made
}

export const kinds = ({ changes }: Payload) => changes.map(({ kind, index, id }) => [kind, index, id])
