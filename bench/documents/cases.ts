import { sizes } from './fill.ts'

export const caseNames = ['get', 'list', 'nested', 'create', 'bulk'] as const
export type CaseName = (typeof caseNames)[number]

type Variables = Readonly<Record<string, unknown>>

export type Case = {
  /** Requests of a round, each different as far as there are different ones. */
  variables: (i: number) => Variables
  different: number
  query: string
  /** The same for PostGraphile: null where it has nothing of the kind. */
  postgraphile: { query: string; variables?: (i: number) => Variables } | null
  writes: boolean
}

const newPost = (i: number) => ({
  title: `A new post, number ${i}`,
  body: 'Lorem ipsum "dolor" sit amet, '.repeat(3),
  category: 'new',
  views: i,
  published: '2026-11-24T10:00:00.000Z',
  author: `a${1 + (i % sizes.authors)}`,
})

const bulkSize = 1000

export const cases: Record<CaseName, Case> = {
  get: {
    writes: false,
    different: 1000,
    variables: (i) => ({ id: `p${1 + ((i * 37) % sizes.posts)}` }),
    query: 'query get($id: ID!) { post(id: $id) { id title body category views published } }',
    postgraphile: {
      query:
        'query get($id: String!) { post: postByRowId(rowId: $id) { id: rowId title body category views published } }',
    },
  },
  list: {
    writes: false,
    different: 10,
    variables: (i) => ({ category: `c${i % 10}` }),
    query: `query list($category: String!) { posts(where: { category: { eq: $category } }, orderBy: [{ views: DESC }], first: 20) {
      nodes { id title views published author { id name } } } }`,
    postgraphile: {
      query: `query list($category: String!) { posts: allPosts(condition: { category: $category }, orderBy: [VIEWS_DESC], first: 20) {
      nodes { id: rowId title views published author { id: rowId name } } } }`,
    },
  },
  nested: {
    writes: false,
    different: 10,
    variables: (i) => ({ offset: (i % 10) * 10 }),
    query: `query nested($offset: Int!) { authors(first: 10, offset: $offset) { nodes { id name
      posts(orderBy: [{ views: DESC }], first: 10) { nodes { id title views comments(first: 5) { nodes { id body } } } } } } }`,
    postgraphile: {
      query: `query nested($offset: Int!) { authors: allAuthors(first: 10, offset: $offset) { nodes { id: rowId name
      posts(orderBy: [VIEWS_DESC], first: 10) { nodes { id: rowId title views comments(first: 5) { nodes { id: rowId body } } } } } } }`,
    },
  },
  create: {
    writes: true,
    different: 100,
    variables: (i) => ({ input: newPost(i) }),
    query:
      'mutation create($input: CreatePostInput!) { createPost(input: $input) { title body category views published } }',
    postgraphile: {
      query: `mutation create($input: PostInput!) { createPost(input: { post: $input }) { post { title body category views published } } }`,
      variables: (i) => {
        const { author, ...rest } = newPost(i)
        return { input: { ...rest, authorId: author } }
      },
    },
  },
  bulk: {
    writes: true,
    different: 2,
    variables: (i) => ({ inputs: Array.from({ length: bulkSize }, (_, k) => newPost(i * bulkSize + k)) }),
    query: 'mutation bulk($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { title views } }',
    postgraphile: null,
  },
}

/** The body of a request, the same in content for whoever is asked; null where a server has nothing of the kind. */
export function bodyOf(name: CaseName, server: 'ours' | 'raw' | 'postgraphile', i: number): object | null {
  const { query, variables, postgraphile } = cases[name]
  if (server !== 'postgraphile') return { operationName: name, query, variables: variables(i) }
  if (!postgraphile) return null
  return { operationName: name, query: postgraphile.query, variables: (postgraphile.variables ?? variables)(i) }
}

/** What an answer says, whatever its form: keys in any order, moments in any notation. */
export function contentOf(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(contentOf)
  if (typeof data === 'string' && /^\d{4}-\d\d-\d\dT/.test(data)) return new Date(data).getTime()
  if (typeof data !== 'object' || data === null) return data
  const entries = Object.entries(data).map(([key, value]) => [key, contentOf(value)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
