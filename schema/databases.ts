import { visibleCollections } from '../src/modules/collections/collections.ts'
import { createDatabase, deleteDatabase, updateDatabase, visibleDatabases } from '../src/modules/databases/databases.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { CollectionList } from './collections.ts'
import { connectionOf } from './connections.ts'

const read = { audience: ['console', 'server'], scope: 'databases.read' } as const
const write = { audience: ['console', 'server'], scope: 'databases.write' } as const

const Database = builder.prismaObject('Database', {
  description: 'A named group of collections.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the database.' }),
    key: t.exposeString('key', { description: 'What programs call it.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    collections: t.relatedConnection(
      'collections',
      {
        cursor: 'id',
        totalCount: true,
        description: 'The collections in it, oldest first.',
        query: (_args, ctx) => ({ where: visibleCollections(ctx), orderBy: { id: 'asc' } }),
      },
      ...CollectionList,
    ),
  }),
})

export const DatabaseList = connectionOf(Database, 'Database')

builder.queryFields((t) => ({
  database: t.prismaField({
    type: Database,
    nullable: true,
    access: read,
    description: 'One database; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which database.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.database.findFirst({ ...query, where: { AND: [{ id }, visibleDatabases(ctx)] } }),
  }),
  databases: t.prismaConnection(
    {
      type: Database,
      cursor: 'id',
      access: read,
      description: 'The databases of the project, oldest first.',
      totalCount: (_root, _args, ctx) => ctx.db.database.count({ where: visibleDatabases(ctx) }),
      resolve: (query, _root, _args, ctx) =>
        ctx.db.database.findMany({ ...query, where: visibleDatabases(ctx), orderBy: { id: 'asc' } }),
    },
    ...DatabaseList,
  ),
}))

builder.mutationFields((t) => ({
  createDatabase: t.prismaFieldWithInput({
    type: Database,
    access: write,
    description: 'Makes a database. A project has at most 100.',
    typeOptions: { description: 'A new database.' },
    input: {
      key: t.input.string({
        required: true,
        description: 'What programs call it: a small letter, then letters, digits and underscores, up to 40.',
      }),
      name: t.input.string({ description: 'What people call it, up to 128 characters; its key, if left out.' }),
    },
    resolve: (_query, _root, { input }, ctx) => createDatabase(ctx, input),
  }),
  updateDatabase: t.prismaFieldWithInput({
    type: Database,
    access: write,
    description: 'Changes a database. What is left out stays.',
    typeOptions: { description: 'Changes of a database. What is left out stays.' },
    input: {
      id: t.input.id({ required: true, description: 'Which database.' }),
      name: t.input.string({ description: 'What people call it, up to 128 characters.' }),
    },
    resolve: (_query, _root, { input: { id, ...changes } }, ctx) => updateDatabase(ctx, id, changes),
  }),
  deleteDatabase: t.id({
    access: write,
    description:
      'Deletes a database with its collections and documents. Refused while a collection of another database points into it. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which database.' }) },
    resolve: (_root, { id }, ctx) => deleteDatabase(ctx, id),
  }),
}))

changedField({
  type: 'Database',
  noun: 'databases',
  idKey: 'databaseId',
  access: read,
  description: 'Databases that are made, changed and deleted.',
  node: (t) =>
    t.prismaField({
      type: Database,
      nullable: true,
      description: 'The database as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.database.findFirst({ ...query, where: { AND: [{ id }, visibleDatabases(ctx)] } }),
    }),
})
