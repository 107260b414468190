import type { ObjectRef } from '@pothos/core'
import { builder, type SchemaTypes } from './builder.ts'

type Total = number | (() => Promise<number> | number) | undefined

/** A noun's connection and its edge, one pair for every field that lists it: pass both behind the field's options. */
export function connectionOf<Shape, Parent>(
  node: ObjectRef<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, Shape, Parent>,
  noun: string,
) {
  const edge = builder.edgeObject({
    type: node,
    name: `${noun}Edge`,
    description: `One ${noun} and its place in the list.`,
  })
  const connection = builder.connectionObject(
    {
      type: node,
      name: `${noun}Connection`,
      description: `A page of a list of ${noun}.`,
      fields: (t) => ({
        totalCount: t.int({
          description: 'How many there are on all pages: exact, and only counted when it is asked for.',
          // The prisma plugin looks for this mark to know that a count is asked for.
          extensions: { pothosPrismaTotalCount: true },
          resolve: (parent) => {
            const { totalCount } = parent as { totalCount?: Total }
            return typeof totalCount === 'function' ? totalCount() : (totalCount ?? 0)
          },
        }),
      }),
    },
    edge,
  )
  return [connection, edge] as const
}
