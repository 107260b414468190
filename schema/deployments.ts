import { z } from 'zod'
import type { Prisma } from '../prisma/client/client.ts'
import { DeploymentStatus as Status } from '../prisma/client/enums.ts'
import type { Context } from '../src/context.ts'
import {
  activateDeployment,
  createDeployment,
  deleteDeployment,
  visibleDeployments,
} from '../src/modules/deployments/deployments.ts'
import { deploymentLimits } from '../src/modules/deployments/limits.ts'
import { type LogPart, watchLog } from '../src/modules/deployments/logs.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { FunctionType } from './functions.ts'
import { needsOf } from './needs.ts'
import { Upload } from './uploads.ts'

const read = { audience: ['console', 'server'], scope: 'functions.read' } as const
const write = { audience: ['console', 'server'], scope: 'functions.write' } as const

const DeploymentStatus = builder.enumType('DeploymentStatus', {
  description: 'How far a deployment is.',
  values: {
    [Status.UPLOADING]: { description: 'Not all of its archive is there.' },
    [Status.PENDING]: { description: 'It is to be built.' },
    [Status.BUILDING]: { description: 'It is being built.' },
    [Status.READY]: { description: 'It can be run.' },
    [Status.FAILED]: { description: 'It could not be built: `error` says why.' },
  },
})

export const Deployment = builder.prismaObject('Deployment', {
  description: "One version of a function's code.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the deployment.' }),
    functionId: t.exposeID('functionId', { description: 'Of which function.' }),
    function: t.relation('function', { type: FunctionType, description: 'The function that it is a version of.' }),
    status: t.expose('status', { type: DeploymentStatus, description: 'How far it is.' }),
    isActive: t.boolean({
      description: 'Whether it is the one that is run.',
      select: { id: true, function: { select: { deploymentId: true } } },
      resolve: (row) => row.function.deploymentId === row.id,
    }),
    runtime: t.exposeString('runtime', { description: 'What runs it: that of its function when it was made.' }),
    entrypoint: t.exposeString('entrypoint', { description: 'The file in it that is run.' }),
    buildCommand: t.exposeString('buildCommand', {
      nullable: true,
      description: "What is run to build it, where it is not the runtime's own; in containers only.",
    }),
    activate: t.exposeBoolean('activate', {
      description: 'Whether it is run as soon as it is ready: not once another has been activated meanwhile.',
    }),
    sourceBytes: t.exposeInt('sourceBytes', { description: 'How many bytes of its archive are there.' }),
    uploadBytes: t.exposeInt('uploadBytes', {
      nullable: true,
      description: 'How many bytes its archive is to have, where that was announced.',
    }),
    uploadPath: t.string({
      nullable: true,
      description:
        'Where its archive is to be uploaded with PUT, below the URL of Tendril; null once all of it is there.',
      select: { id: true, projectId: true, status: true },
      resolve: ({ id, projectId, status }) =>
        status === 'UPLOADING' ? `/projects/${projectId}/deployments/${id}/source` : null,
    }),
    sourceHash: t.exposeString('sourceHash', { nullable: true, description: 'SHA-256 of its archive, in hex.' }),
    artefactBytes: t.exposeInt('artefactBytes', { description: 'How many bytes the build has made of it.' }),
    artefactHash: t.exposeString('artefactHash', {
      nullable: true,
      description: 'SHA-256 of what the build has made of it, in hex.',
    }),
    buildLog: t.exposeString('buildLog', { description: 'What the build said, line by line.' }),
    buildMs: t.exposeInt('buildMs', { nullable: true, description: 'How long the build took, in milliseconds.' }),
    error: t.exposeString('error', { nullable: true, description: 'Why it could not be built.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
  }),
})

const DeploymentList = connectionOf(Deployment, 'Deployment')

const DeploymentWhere = builder.inputType('DeploymentWhere', {
  description: 'Which deployments: those for which everything that is said here holds.',
  fields: (t) => ({
    functionId: t.id({ description: 'Of this function.' }),
    status: t.field({ type: DeploymentStatus, description: 'That have this status.' }),
  }),
})

function wanted(
  ctx: Context,
  where: typeof DeploymentWhere.$inferInput | null | undefined,
): Prisma.DeploymentWhereInput {
  const { functionId, status } = where ?? {}
  const asked = { ...(functionId != null && { functionId }), ...(status != null && { status }) }
  return { AND: [asked, visibleDeployments(ctx)] }
}

builder.prismaObjectFields(FunctionType, (t) => ({
  deployment: t.prismaField({
    type: Deployment,
    nullable: true,
    description: 'The deployment that is run; null before there is one.',
    select: { deploymentId: true },
    resolve: (query, { deploymentId }, _args, ctx) =>
      deploymentId === null ? null : ctx.db.deployment.findUnique({ ...query, where: { id: deploymentId } }),
  }),
  deployments: t.relatedConnection(
    'deployments',
    {
      type: Deployment,
      cursor: 'id',
      totalCount: true,
      description: 'Its versions, newest first.',
      args: { where: t.arg({ type: DeploymentWhere, description: 'Which; all, if left out.' }) },
      query: ({ where }, ctx) => ({ where: wanted(ctx, where), orderBy: { id: 'desc' } }),
    },
    ...DeploymentList,
  ),
}))

builder.queryFields((t) => ({
  deployment: t.prismaField({
    type: Deployment,
    nullable: true,
    access: read,
    description: 'One deployment; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which deployment.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.deployment.findFirst({ ...query, where: { AND: [{ id }, visibleDeployments(ctx)] } }),
  }),
  deployments: t.prismaConnection(
    {
      type: Deployment,
      cursor: 'id',
      access: read,
      description: 'Deployments of functions of the project, newest first.',
      args: { where: t.arg({ type: DeploymentWhere, description: 'Which; all, if left out.' }) },
      totalCount: (_root, { where }, ctx) => ctx.db.deployment.count({ where: wanted(ctx, where) }),
      resolve: (query, _root, { where }, ctx) =>
        ctx.db.deployment.findMany({ ...query, where: wanted(ctx, where), orderBy: { id: 'desc' } }),
    },
    ...DeploymentList,
  ),
}))

const DeploymentUploadInput = builder.inputType('DeploymentUploadInput', {
  description: 'An archive that is going to be uploaded.',
  fields: (t) => ({
    bytes: t.int({
      required: true,
      validate: z.int().min(1),
      description: `How many bytes it has: up to ${deploymentLimits.sourceBytes.toLocaleString('en-US')}.`,
    }),
    sha256: t.string({
      required: true,
      validate: z.string().regex(/^[0-9a-f]{64}$/i, 'A SHA-256 is 64 hex digits.'),
      description: 'Its SHA-256, in hex.',
    }),
  }),
})

const entrypoint = z
  .string()
  .max(255)
  .regex(/^(?!\/)(?!.*(^|\/)\.{1,2}(\/|$))[\w.@ /-]+$/, 'This is not the path of a file in a deployment.')

builder.mutationFields((t) => ({
  createDeployment: t.prismaFieldWithInput({
    typeOptions: { description: 'Code of a function: one of `source`, `file` and `upload`.' },
    type: Deployment,
    access: write,
    description:
      'Gives a function new code: as text (`source`), as a tar.gz with the request (`file`), or as one that is uploaded afterwards (`upload`). It is built at once, and run as soon as it is ready unless `activate` says otherwise.',
    input: {
      functionId: t.input.id({ required: true, description: 'Of which function.' }),
      source: t.input.string({
        description: `The code itself, of a function that is one file: up to ${deploymentLimits.inlineBytes.toLocaleString('en-US')} bytes.`,
      }),
      file: t.input.field({
        type: Upload,
        description: `A tar.gz with the code, by the GraphQL multipart request specification: up to ${deploymentLimits.sourceBytes.toLocaleString('en-US')} bytes.`,
      }),
      upload: t.input.field({
        type: DeploymentUploadInput,
        description: 'What is going to be uploaded to `uploadPath`, in as many pieces as it takes.',
      }),
      entrypoint: t.input.string({
        validate: entrypoint,
        description: "The file in it that is run; the function's own, if left out.",
      }),
      buildCommand: t.input.string({
        validate: z.string().max(1_024),
        description: "What to run to build it instead of the runtime's own command; in containers only.",
      }),
      activate: t.input.boolean({ description: 'Whether it is run as soon as it is ready; it is, if left out.' }),
    },
    resolve: async (query, _root, { input }, ctx) => {
      const { id } = await createDeployment(ctx, input)
      return ctx.db.deployment.findFirstOrThrow({ ...query, where: { AND: [{ id }, visibleDeployments(ctx)] } })
    },
  }),
  activateDeployment: t.prismaField({
    type: Deployment,
    access: write,
    description:
      'Runs this deployment from the next run on: a new one, or an older one again. Those that are still to be built do not take its place.',
    args: { id: t.arg.id({ required: true, description: 'Which deployment.' }) },
    resolve: async (query, _root, { id }, ctx) => {
      await activateDeployment(ctx, id)
      return ctx.db.deployment.findFirstOrThrow({ ...query, where: { AND: [{ id }, visibleDeployments(ctx)] } })
    },
  }),
  deleteDeployment: t.id({
    access: write,
    description: 'Deletes a deployment that is not the one that is run. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which deployment.' }) },
    resolve: (_root, { id }, ctx) => deleteDeployment(ctx, id),
  }),
}))

const DeploymentLog = builder.objectRef<LogPart>('DeploymentLog').implement({
  description: 'New lines of a build.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Where to go on behind them: give it as `after`.' }),
    lines: t.exposeStringList('lines', { description: 'The lines.' }),
    status: t.expose('status', { type: DeploymentStatus, description: 'How far the deployment is.' }),
  }),
})

builder.subscriptionField('deploymentLogs', (t) =>
  t.field({
    type: DeploymentLog,
    access: read,
    description: 'What a build says, as it says it, from its beginning. It ends with the build.',
    args: {
      id: t.arg.id({ required: true, description: 'Of which deployment.' }),
      after: t.arg.string({ description: 'The cursor of the last lines that you have; all lines, if left out.' }),
    },
    subscribe: (_root, { id, after }, ctx, info) => watchLog(ctx, id, after, needsOf(info)),
    resolve: (part) => part,
  }),
)

changedField({
  type: 'Deployment',
  noun: 'deployments',
  idKey: 'deploymentId',
  access: read,
  description: 'Deployments that are made, built, activated and deleted.',
  node: (t) =>
    t.prismaField({
      type: Deployment,
      nullable: true,
      description: 'The deployment as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.deployment.findFirst({ ...query, where: { AND: [{ id }, visibleDeployments(ctx)] } }),
    }),
})
