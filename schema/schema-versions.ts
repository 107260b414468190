import { z } from 'zod'
import { SchemaVersionStatus as Status } from '../prisma/client/enums.ts'
import type { Context } from '../src/context.ts'
import {
  advanceSchemaVersion,
  beginSchemaRollback,
  beginSchemaVersion,
  schemaVersionsBeyond,
  visibleSchemaVersions,
} from '../src/modules/schema-versions/schema-versions.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'

const read = { audience: ['console', 'server'], scope: 'databases.read' } as const
const write = { audience: ['console', 'server'], scope: 'databases.write' } as const

const SchemaVersionStatus = builder.enumType('SchemaVersionStatus', {
  description: 'How a migration stands.',
  values: {
    [Status.APPLYING]: { description: 'It was begun, and is not at its end.' },
    [Status.APPLIED]: { description: 'It is applied.' },
    [Status.ROLLING_BACK]: { description: 'It is being undone.' },
  },
})

const SchemaVersion = builder.prismaObject('SchemaVersion', {
  description: 'A migration of the databases of the project. `tendril schema migration` writes and applies them.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Names it: a time and a few words.' }),
    checksum: t.exposeString('checksum', { description: 'SHA-256 of its file, in hexadecimal.' }),
    rollback: t.exposeString('rollback', { description: 'What undoes it, as whoever applied it wrote that down.' }),
    status: t.expose('status', { type: SchemaVersionStatus, description: 'How it stands.' }),
    steps: t.exposeInt('steps', {
      description: 'How many steps it has; while it is ROLLING_BACK, those that undo it.',
    }),
    done: t.exposeInt('done', { description: 'How many of its steps are done.' }),
    appliedAt: t.expose('appliedAt', { type: 'DateTime', description: 'When it began to be applied.' }),
  }),
})

const SchemaVersionList = connectionOf(SchemaVersion, 'SchemaVersion')

builder.queryField('schemaVersions', (t) =>
  t.prismaConnection(
    {
      type: SchemaVersion,
      cursor: 'id',
      access: read,
      description: 'The migrations that were applied to the project, in the order in which they were.',
      totalCount: (_root, _args, ctx) => ctx.db.schemaVersion.count({ where: visibleSchemaVersions(ctx) }),
      resolve: async ({ cursor, skip: _skip, ...query }, _root, _args, ctx) =>
        ctx.db.schemaVersion.findMany({
          ...query,
          where: { AND: [visibleSchemaVersions(ctx), await beyond(ctx, cursor?.id, query.take)] },
          orderBy: [{ appliedAt: 'asc' }, { name: 'asc' }],
        }),
    },
    ...SchemaVersionList,
  ),
)

const beyond = (ctx: Context, id: unknown, take: number) =>
  typeof id === 'string' ? schemaVersionsBeyond(ctx, id, take < 0 ? 'before' : 'behind') : {}

const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const lease = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/)
const steps = z.int().min(0).max(10_000)

const leaseDescription =
  'A random name of whoever is at it, 8 to 64 letters, digits, _ and -. Nobody else may be for 60 seconds after its last call.'

builder.mutationFields((t) => ({
  beginSchemaVersion: t.prismaFieldWithInput({
    typeOptions: { description: 'The migration that is begun.' },
    type: SchemaVersion,
    access: write,
    description:
      'Begins a migration, or goes on with one that was left half applied: `done` says behind which step. Refused while another one is half done. A project remembers at most 10,000. It changes no collection: whoever calls this does.',
    input: {
      name: t.input.string({
        required: true,
        validate: name,
        description: 'Names it: 1 to 64 letters, digits, _ and -.',
      }),
      checksum: t.input.string({
        required: true,
        validate: z.string().regex(/^[0-9a-f]{64}$/),
        description: 'SHA-256 of its file, in hexadecimal. One that was left half applied must have it still.',
      }),
      steps: t.input.int({ required: true, validate: steps, description: 'How many steps it has, up to 10,000.' }),
      rollback: t.input.string({
        required: true,
        validate: z.string().max(500_000),
        description: 'What undoes it, up to 500,000 characters: kept, and answered, as it is.',
      }),
      after: t.input.string({
        validate: name,
        description: 'The migration that was the last until now; none, if left out. Refused where it is another.',
      }),
      lease: t.input.string({ required: true, validate: lease, description: leaseDescription }),
    },
    resolve: (_query, _root, { input }, ctx) => beginSchemaVersion(ctx, input),
  }),
  beginSchemaRollback: t.prismaFieldWithInput({
    typeOptions: { description: 'The migration that is undone.' },
    type: SchemaVersion,
    access: write,
    description:
      'Begins to undo the last migration, also one that was left half applied, or goes on with that: `done` says behind which step. It changes no collection: whoever calls this does.',
    input: {
      name: t.input.string({ required: true, validate: name, description: 'Which migration.' }),
      steps: t.input.int({ required: true, validate: steps, description: 'How many steps undo it.' }),
      lease: t.input.string({ required: true, validate: lease, description: leaseDescription }),
    },
    resolve: (_query, _root, { input }, ctx) => beginSchemaRollback(ctx, input),
  }),
  advanceSchemaVersion: t.prismaFieldWithInput({
    typeOptions: { description: 'How far the migration has got.' },
    type: SchemaVersion,
    access: write,
    description:
      'Says how far a migration has got, and keeps its lease. With the last step it is applied or, while it is being rolled back, forgotten.',
    input: {
      name: t.input.string({ required: true, validate: name, description: 'Which migration.' }),
      lease: t.input.string({ required: true, validate: lease, description: 'The lease with which it was begun.' }),
      done: t.input.int({ required: true, validate: steps, description: 'How many of its steps are done.' }),
      leave: t.input.boolean({ description: 'Whether to give the lease up before the end; not, if left out.' }),
    },
    resolve: (_query, _root, { input }, ctx) => advanceSchemaVersion(ctx, input),
  }),
}))

changedField({
  type: 'SchemaVersion',
  noun: 'versions',
  idKey: 'name',
  access: read,
  description: 'Migrations of the schema that are begun, applied and rolled back.',
  node: (t) =>
    t.prismaField({
      type: SchemaVersion,
      nullable: true,
      description: 'The migration as it is now; null once it is gone.',
      resolve: (query, { id: name, ctx }) =>
        ctx.db.schemaVersion.findFirst({ ...query, where: { AND: [{ name }, visibleSchemaVersions(ctx)] } }),
    }),
})
