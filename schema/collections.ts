import { visibleAttributes } from '../src/modules/attributes/attributes.ts'
import {
  createCollection,
  deleteCollection,
  updateCollection,
  visibleCollections,
} from '../src/modules/collections/collections.ts'
import type { NewRule } from '../src/modules/collections/rules.ts'
import { visibleIndexes } from '../src/modules/indexes/indexes.ts'
import { parsePermission, type Permission as RowPermission } from '../src/modules/permissions/roles.ts'
import { SchemaStatus } from './attribute-types.ts'
import { AttributeInput, AttributeList, readAttribute } from './attributes.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { IndexInput, IndexList } from './indexes.ts'
import {
  answerPermission,
  Permission,
  type PermissionAnswer,
  PermissionInput,
  PermissionRight,
  readPermissions,
} from './permissions.ts'

const read = { audience: ['console', 'server'], scope: 'databases.read' } as const
const write = { audience: ['console', 'server'], scope: 'databases.write' } as const

type RuleAnswer = PermissionAnswer & { where?: unknown }

const answerRule = ({ where, ...permission }: RowPermission & { where: unknown }): RuleAnswer => {
  return { ...answerPermission(permission), where }
}

function readRules(rules: readonly RuleAnswer[]): NewRule[] {
  return readPermissions(rules).map((permission, i) => ({ ...permission, where: rules[i]?.where }))
}

const where =
  'A filter over attributes of the document itself, `id`, `createdAt` and `updatedAt`: `{ "status": { "eq": "open" }, "or": [{ "author": { "eq": "$userId" } }, { "price": { "lt": "10.00" } }] }`. `and`, `or` and `not` join; the operators are eq, ne, in, notIn, gt, gte, lt, lte, isNull, contains, startsWith and endsWith, of lists has and isNull; `$userId` is the id of the caller. Of a relation it sees the id that it points at.'

const CollectionRule = builder.objectRef<RuleAnswer>('CollectionRule').implement({
  description: 'A right that a role holds on the documents that match a condition.',
  fields: (t) => ({
    right: t.expose('right', { type: PermissionRight, description: 'What it allows.' }),
    role: t.exposeString('role', { description: 'Whom it is given to.' }),
    where: t.field({ type: 'JSON', description: where, resolve: (rule) => rule.where }),
  }),
})

const CollectionRuleInput = builder.inputType('CollectionRuleInput', {
  description:
    'A right for a role on the documents that match a condition. What is created or changed has to match it afterwards too.',
  fields: (t) => ({
    right: t.field({ type: PermissionRight, required: true, description: 'What it allows.' }),
    role: t.string({ required: true, description: 'Whom it is given to: a role, as in permissions.' }),
    where: t.field({ type: 'JSON', required: true, description: `${where} Up to 100 parts, 10 levels deep.` }),
  }),
})

const Collection = builder.prismaObject('Collection', {
  description: "A kind of document: it becomes a type of the project's API.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the collection.' }),
    key: t.exposeString('key', { description: 'What programs call it.' }),
    typeName: t.exposeString('typeName', { description: 'The name of its type.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What it is for, as it stands in the description of its type; null for nothing.',
    }),
    database: t.relation('database', { description: 'The database that it is in.' }),
    permissions: t.field({
      type: [Permission],
      description: 'Who may do what with every document.',
      select: { permissions: true },
      resolve: ({ permissions }) => permissions.flatMap(parsePermission).map(answerPermission),
    }),
    documentPermissions: t.exposeBoolean('documentPermissions', {
      description: 'Whether each document can grant more by itself.',
    }),
    rules: t.field({
      type: [CollectionRule],
      description: 'Who may do what with the documents that match a condition.',
      select: { rules: true },
      resolve: ({ rules }) => JSON.parse(rules).map(answerRule),
    }),
    cacheSeconds: t.exposeInt('cacheSeconds', {
      nullable: true,
      description: 'How long answers about its documents may be kept; null for not at all.',
    }),
    status: t.expose('status', { type: SchemaStatus, description: 'Whether it is there.' }),
    error: t.exposeString('statusReason', { nullable: true, description: 'Why it could not be made.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    attributes: t.relatedConnection(
      'attributes',
      {
        cursor: 'id',
        totalCount: true,
        description: 'The fields of its documents, oldest first.',
        query: (_args, ctx) => ({ where: visibleAttributes(ctx), orderBy: { id: 'asc' } }),
      },
      ...AttributeList,
    ),
    indexes: t.relatedConnection(
      'indexes',
      {
        cursor: 'id',
        totalCount: true,
        description: 'Its indexes, oldest first.',
        query: (_args, ctx) => ({ where: visibleIndexes(ctx), orderBy: { id: 'asc' } }),
      },
      ...IndexList,
    ),
  }),
})

export const CollectionList = connectionOf(Collection, 'Collection')

builder.queryFields((t) => ({
  collection: t.prismaField({
    type: Collection,
    nullable: true,
    access: read,
    description: 'One collection; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which collection.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.collection.findFirst({ ...query, where: { AND: [{ id }, visibleCollections(ctx)] } }),
  }),
  collections: t.prismaConnection(
    {
      type: Collection,
      cursor: 'id',
      access: read,
      description: 'The collections of the project, oldest first.',
      totalCount: (_root, _args, ctx) => ctx.db.collection.count({ where: visibleCollections(ctx) }),
      resolve: (query, _root, _args, ctx) =>
        ctx.db.collection.findMany({ ...query, where: visibleCollections(ctx), orderBy: { id: 'asc' } }),
    },
    ...CollectionList,
  ),
}))

const rules = 'Who may do what with the documents that match a condition, up to 50.'
const description =
  'What it is for, up to 1,000 characters. It stands first in the description of its type, for all who are shown that.'
const cacheSeconds = 'How long answers about its documents may be kept, 1 to 3,600.'
const documentPermissions = 'Whether each document can grant more by itself.'

builder.mutationFields((t) => ({
  createCollection: t.prismaFieldWithInput({
    type: Collection,
    access: write,
    description:
      'Makes a collection. Its type is there once its `status` is AVAILABLE; `collectionChanged` tells. A project has at most 1,000.',
    typeOptions: { description: 'A new collection, with the attributes and indexes that it begins with.' },
    input: {
      databaseId: t.input.id({ required: true, description: 'Which database it is for.' }),
      key: t.input.string({
        required: true,
        description:
          'What programs call it, in the plural: a small letter, then letters, digits and underscores, up to 40.',
      }),
      typeName: t.input.string({
        description: 'The name of its type, unique in the project; made of the key, if left out.',
      }),
      name: t.input.string({ description: 'What people call it, up to 128 characters; its key, if left out.' }),
      description: t.input.string({ description }),
      permissions: t.input.field({
        type: [PermissionInput],
        required: true,
        description: 'Who may do what with every document, up to 100. Members and keys of the project need none.',
      }),
      documentPermissions: t.input.boolean({ description: `${documentPermissions} They can, if left out.` }),
      rules: t.input.field({ type: [CollectionRuleInput], description: rules }),
      cacheSeconds: t.input.int({ description: `${cacheSeconds} Not at all, if left out.` }),
      attributes: t.input.field({
        type: [AttributeInput],
        description: 'The attributes that it begins with, up to 400.',
      }),
      indexes: t.input.field({ type: [IndexInput], description: 'The indexes that it begins with, up to 64.' }),
    },
    resolve: (_query, _root, { input }, ctx) =>
      createCollection(ctx, {
        ...input,
        permissions: readPermissions(input.permissions),
        rules: input.rules && readRules(input.rules),
        attributes: input.attributes?.map(readAttribute),
      }),
  }),
  updateCollection: t.prismaFieldWithInput({
    type: Collection,
    access: write,
    description: 'Changes a collection. What is left out stays. It is in force on every node within a second.',
    typeOptions: { description: 'Changes of a collection. What is left out stays.' },
    input: {
      id: t.input.id({ required: true, description: 'Which collection.' }),
      key: t.input.string({ description: 'What programs call it, formed as that of a new one; its table stays.' }),
      typeName: t.input.string({ description: 'The name of its type; it stays, whatever the key, if left out.' }),
      name: t.input.string({ description: 'What people call it, up to 128 characters.' }),
      description: t.input.string({ description: `${description} Null for nothing.` }),
      permissions: t.input.field({
        type: [PermissionInput],
        description: 'Who may do what with every document, up to 100, instead of all that was granted before.',
      }),
      documentPermissions: t.input.boolean({ description: documentPermissions }),
      rules: t.input.field({ type: [CollectionRuleInput], description: `${rules} They come instead of those before.` }),
      cacheSeconds: t.input.int({ description: `${cacheSeconds} Null for not at all.` }),
    },
    resolve: (_query, _root, { input: { id, permissions, rules, ...changes } }, ctx) =>
      updateCollection(ctx, id, {
        ...changes,
        permissions: permissions && readPermissions(permissions),
        rules: rules && readRules(rules),
      }),
  }),
  deleteCollection: t.id({
    access: write,
    description: 'Deletes a collection with its documents. Refused while another points at it. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which collection.' }) },
    resolve: (_root, { id }, ctx) => deleteCollection(ctx, id),
  }),
}))

changedField({
  type: 'Collection',
  noun: 'collections',
  parts: ['attributes', 'indexes'],
  idKey: 'collectionId',
  access: read,
  description: 'What happens to collections, their attributes and indexes: above all, when their `status` changes.',
  node: (t) =>
    t.prismaField({
      type: Collection,
      nullable: true,
      description: 'The collection as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.collection.findFirst({ ...query, where: { AND: [{ id }, visibleCollections(ctx)] } }),
    }),
})
