/** What the query path answers at quiet moments: which documents a caller finds by a filter, and what they see of them. */
import { marker, type Name, names } from './collections.ts'
import type { Principal, Stage } from './stage.ts'
import { most, type Subscription } from './subscriptions.ts'

export type Node = Record<string, unknown>
/** Documents by id. */
export type Rows = ReadonlyMap<string, Node>

const whole: Record<Name, string> = {
  authors: '',
  posts: 'author { id } editor { id } permissions { right role }',
  comments: 'post { id }',
}

/** All documents there are, as who may read everything is answered. */
export async function readAll(stage: Stage): Promise<Record<Name, Rows>> {
  const read = async (name: Name) => {
    const fields = `id version title views draft owner note ${whole[name]}`
    const query = `query { ${name}(first: ${most}) { totalCount nodes { ${fields} } } }`
    return [name, await rowsOf(stage, stage.key, name, query, {})] as const
  }
  return Object.fromEntries(await Promise.all(names.map(read))) as Record<Name, Rows>
}

/** What each of these is to be told of, were it a query: by the order of the list. */
export async function readViews(stage: Stage, subscriptions: readonly Subscription[]): Promise<Rows[]> {
  const views: Rows[] = []
  for (let i = 0; i < subscriptions.length; i += 6) {
    const some = subscriptions.slice(i, i + 6).map(({ principal, collection, query, where }) => {
      return rowsOf(stage, principal, collection, query, where === null ? {} : { where })
    })
    views.push(...(await Promise.all(some)))
  }
  return views
}

async function rowsOf(stage: Stage, principal: Principal, name: Name, query: string, variables: object): Promise<Rows> {
  const data = (await stage.ask(principal, query, variables)) as Record<Name, { totalCount: number; nodes: Node[] }>
  const { totalCount, nodes } = data[name]
  if (totalCount !== nodes.length) throw new Error(`${totalCount} documents do not fit a page.`)
  return new Map(nodes.filter(({ id }) => id !== marker).map((node) => [String(node.id), node]))
}
