import { IndexType as Type } from '../prisma/client/enums.ts'
import { createIndex, deleteIndex } from '../src/modules/indexes/indexes.ts'
import { SchemaStatus } from './attributes.ts'
import { builder, type SchemaTypes } from './builder.ts'
import { connectionOf } from './connections.ts'
import { OrderDirection } from './permissions.ts'

const write = { audience: ['console', 'server'], scope: 'databases.write' } as const

const IndexType = builder.enumType('IndexType', {
  description: 'What an index is for.',
  values: {
    [Type.KEY]: { description: 'Finds and orders documents fast.' },
    [Type.UNIQUE]: {
      description: 'Does so, and keeps two documents from having the same values. Nulls never are the same.',
    },
    [Type.FULLTEXT]: { description: 'Finds words in texts.' },
    [Type.GIN]: { description: 'Finds items of lists and parts of JSON.' },
    [Type.TRIGRAM]: { description: 'Finds parts of texts.' },
    [Type.SPATIAL]: { description: 'Finds places and areas.' },
    [Type.VECTOR]: { description: 'Finds the nearest vectors.' },
  },
})

const Index = builder.prismaObject('Index', {
  description: 'An index of a collection.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the index.' }),
    key: t.exposeString('key', { description: 'What programs call it.' }),
    type: t.expose('type', { type: IndexType, description: 'What it is for.' }),
    attributes: t.exposeStringList('attributes', { description: 'The keys of its attributes, in order.' }),
    orders: t.field({
      type: [OrderDirection],
      description: 'The direction of each.',
      select: { orders: true },
      resolve: ({ orders }) => orders.map((order) => (order === 'DESC' ? 'DESC' : 'ASC')),
    }),
    status: t.expose('status', { type: SchemaStatus, description: 'Whether it is there.' }),
    statusReason: t.exposeString('statusReason', { nullable: true, description: 'Why it could not be made.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
  }),
})

export const IndexList = connectionOf(Index, 'Index')

type Fields = PothosSchemaTypes.InputFieldBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, 'InputObject'>

/** What is asked of an index, alone or with its collection. */
const indexFields = (t: Fields) => ({
  key: t.string({
    required: true,
    description: 'What programs call it: a small letter, then letters, digits and underscores, up to 40.',
  }),
  type: t.field({ type: IndexType, required: true, description: 'What it is for.' }),
  attributes: t.stringList({
    required: true,
    description: 'Keys of 1 to 10 attributes, `createdAt` or `updatedAt`; strings of about 640 characters together.',
  }),
  orders: t.field({ type: [OrderDirection], description: 'The direction of each; ASC, if left out.' }),
})

export const IndexInput = builder.inputType('IndexInput', {
  description: 'An index that a collection begins with.',
  fields: indexFields,
})

const CreateIndexInput = builder.inputType('CreateIndexInput', {
  description: 'What is asked for.',
  fields: (t) => ({
    collectionId: t.id({ required: true, description: 'Which collection it is for.' }),
    ...indexFields(t),
  }),
})

builder.mutationFields((t) => ({
  createIndex: t.prismaField({
    type: Index,
    access: write,
    description:
      'Adds an index to a collection, which may have 64. It is there once its `status` is AVAILABLE; `collectionChanged` tells.',
    args: { input: t.arg({ type: CreateIndexInput, required: true, description: 'What is asked for.' }) },
    resolve: (_query, _root, { input }, ctx) => createIndex(ctx, input),
  }),
  deleteIndex: t.id({
    access: write,
    description: 'Deletes an index. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which.' }) },
    resolve: (_root, { id }, ctx) => deleteIndex(ctx, id),
  }),
}))
