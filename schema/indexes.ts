import { VectorDistance as Distance, IndexType as Type } from '../prisma/client/enums.ts'
import { isDirection } from '../src/documents/directions.ts'
import { createIndex, deleteIndex, visibleIndexes } from '../src/modules/indexes/indexes.ts'
import { SchemaStatus } from './attribute-types.ts'
import { builder, type SchemaTypes } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { OrderDirection } from './permissions.ts'

const write = { audience: ['console', 'server'], scope: 'databases.write' } as const

const IndexType = builder.enumType('IndexType', {
  description: 'What an index is for.',
  values: {
    [Type.KEY]: { description: 'Finds and orders documents fast.' },
    [Type.UNIQUE]: {
      description:
        'Finds and orders documents fast, and keeps two documents from having the same values. Nulls never are the same.',
    },
    [Type.FULLTEXT]: { description: 'Finds words in texts, in each of its attributes.' },
    [Type.GIN]: { description: 'Finds items of lists, and JSON by the values in it, not by its keys alone.' },
    [Type.TRIGRAM]: { description: 'Finds parts of texts.' },
    [Type.SPATIAL]: { description: 'Finds points, areas, and lines by the box around them, and the nearest points.' },
    [Type.VECTOR]: {
      description:
        'Finds the nearest vectors, though it may miss some: for the first page of all documents, without cursors.',
    },
  },
})

const VectorDistance = builder.enumType('VectorDistance', {
  description: 'How far two vectors are from each other. Less is nearer.',
  values: {
    [Distance.EUCLIDEAN]: { description: 'The length of the straight line between them.' },
    [Distance.COSINE]: { description: 'One less the cosine of the angle between them: from 0 to 2.' },
    [Distance.DOT]: { description: 'The inner product with its sign turned.' },
  },
})

const Index = builder.prismaObject('Index', {
  description: 'An index of a collection.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the index.' }),
    collection: t.relation('collection', { description: 'The collection whose documents it finds.' }),
    key: t.exposeString('key', { description: 'What programs call it.' }),
    type: t.expose('type', { type: IndexType, description: 'What it is for.' }),
    attributes: t.exposeStringList('attributes', { description: 'The keys of its attributes, in order.' }),
    orders: t.field({
      type: [OrderDirection],
      description: 'The direction of each attribute; empty for indexes without order.',
      select: { orders: true },
      resolve: ({ orders }) => orders.map((order) => (isDirection(order) ? order : 'ASC')),
    }),
    language: t.exposeString('language', {
      nullable: true,
      description: 'How a full-text index reads words; null for others.',
    }),
    distance: t.expose('distance', {
      type: VectorDistance,
      nullable: true,
      description: 'What a vector index measures; null for others.',
    }),
    status: t.expose('status', { type: SchemaStatus, description: 'Whether it is there.' }),
    error: t.exposeString('statusReason', { nullable: true, description: 'Why it could not be made.' }),
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
  orders: t.field({
    type: [OrderDirection],
    description: 'The direction of each attribute, for a key or unique index; ASC, if left out.',
  }),
  language: t.string({
    description:
      'How a full-text index reads words: `simple`, the default, `english`, `german` … as PostgreSQL has them.',
  }),
  distance: t.field({
    type: VectorDistance,
    description: 'What a vector index measures; EUCLIDEAN, if left out.',
  }),
})

export const IndexInput = builder.inputType('IndexInput', {
  description: 'An index that a collection begins with.',
  fields: indexFields,
})

const CreateIndexInput = builder.inputType('CreateIndexInput', {
  description: 'A new index, and the collection that gets it.',
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
    args: { input: t.arg({ type: CreateIndexInput, required: true }) },
    resolve: (_query, _root, { input }, ctx) => createIndex(ctx, input),
  }),
  deleteIndex: t.id({
    access: write,
    description: 'Deletes an index. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which index.' }) },
    resolve: (_root, { id }, ctx) => deleteIndex(ctx, id),
  }),
}))

changedField({
  type: 'Index',
  noun: 'indexes',
  idKey: 'indexId',
  access: { audience: ['console', 'server'], scope: 'databases.read' },
  description: 'What happens to indexes: above all, when their `status` changes.',
  node: (t) =>
    t.prismaField({
      type: Index,
      nullable: true,
      description: 'The index as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.index.findFirst({ ...query, where: { AND: [{ id }, visibleIndexes(ctx)] } }),
    }),
})
