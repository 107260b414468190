import { type GraphQLResolveInfo, Kind, type ValueNode } from 'graphql'
import { saysNothing } from '../../src/documents/where.ts'

/**
 * Throws Invalid where nothing is left of a condition in `where`, as of `{ id: $id }` without its variable: that is `{}`, which asks
 * for all documents, and nobody has said so.
 */
export function requireSaid(where: unknown, { fieldNodes }: GraphQLResolveInfo): void {
  const argument = fieldNodes[0]?.arguments?.find(({ name }) => name.value === 'where')
  if (argument) requireLeft(argument.value, where, ['where'])
}

function requireLeft(said: ValueNode, value: unknown, path: readonly string[]): void {
  if (Array.isArray(value)) {
    // One condition stands for a list of one.
    const items = said.kind === Kind.LIST ? said.values : [said]
    for (const [i, item] of items.entries()) requireLeft(item, value[i], [...path, `${i}`])
    return
  }
  if (said.kind !== Kind.OBJECT || typeof value !== 'object' || value === null) return
  if (said.fields.length > 0 && Object.keys(value).length === 0) throw saysNothing(path)
  const parts = new Map(Object.entries(value))
  for (const { name, value: part } of said.fields) requireLeft(part, parts.get(name.value), [...path, name.value])
}
