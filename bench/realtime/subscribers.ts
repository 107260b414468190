import type { Client } from './clients.ts'
import type { Stage } from './stage.ts'

const plain = {
  query: 'subscription ($after: String) { postChanged(after: $after) { cursor kind node { id title body views } } }',
}
const related = {
  query:
    'subscription ($after: String) { postChanged(after: $after) { cursor kind node { id title body views author { name } } } }',
}
const filtered = `subscription ($where: PostWhere, $after: String) {
  postChanged(where: $where, after: $after) { cursor kind node { id title body views } } }`

/** So many sockets with one subscription each, of all principals in turn; a quarter of them select a relation. */
export function oneEach({ principals }: Stage, count: number): Client[] {
  return Array.from({ length: count }, (_, i) => {
    const principal = i % principals.length
    const turn = Math.floor(i / principals.length)
    const subscriptions = [(principal + turn) % 4 === 0 ? related : plain]
    return { principal, authorization: principals[principal] ?? '', subscriptions }
  })
}

/** The same without a relation. */
export function plainOnes(stage: Stage, count: number): Client[] {
  return oneEach(stage, count).map((client) => ({ ...client, subscriptions: [plain] }))
}

/** Subscriptions spread over so many filters, up to a hundred on each socket, no two of them with the same. */
export function spread({ principals }: Stage, count: number, filters: number): Client[] {
  const each = Math.min(100, filters)
  return Array.from({ length: count / each }, (_, i) => {
    const principal = i % principals.length
    const subscriptions = Array.from({ length: each }, (_one, k) => {
      return { query: filtered, variables: { where: { category: { eq: categoryOf((i * each + k) % filters) } } } }
    })
    return { principal, authorization: principals[principal] ?? '', subscriptions }
  })
}

export const categoryOf = (filter: number) => `filter ${filter}`

/** As many that a bare broadcast reaches. */
export const listeners = (count: number): Client[] =>
  Array.from({ length: count }, () => ({ principal: 0, subscriptions: null }))
