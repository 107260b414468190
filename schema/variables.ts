import { z } from 'zod'
import type { Prisma } from '../prisma/client/client.ts'
import type { Context } from '../src/context.ts'
import { deleteVariable, setVariable, visibleVariables } from '../src/modules/variables/variables.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { FunctionType } from './functions.ts'

const read = { audience: ['console', 'server'], scope: 'functions.read' } as const
const write = { audience: ['console', 'server'], scope: 'functions.write' } as const

const Variable = builder.prismaObject('Variable', {
  description: 'A name in the environment of functions. Its value is kept encrypted and never answered.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the variable.' }),
    key: t.exposeString('key', { description: 'What functions know it by.' }),
    functionId: t.exposeID('functionId', {
      nullable: true,
      description: 'The function that has it; null where all of the project have it.',
    }),
    function: t.relation('function', {
      type: FunctionType,
      nullable: true,
      description: 'The function that has it; null where all of the project have it.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was first set.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last set.' }),
  }),
})

const VariableList = connectionOf(Variable, 'Variable')

builder.prismaObjectFields(FunctionType, (t) => ({
  variables: t.relatedConnection(
    'variables',
    {
      type: Variable,
      cursor: 'id',
      totalCount: true,
      description: 'Its own variables, oldest first.',
      query: (_args, ctx) => ({ where: visibleVariables(ctx), orderBy: { id: 'asc' } }),
    },
    ...VariableList,
  ),
}))

const VariableWhere = builder.inputType('VariableWhere', {
  description: 'Which variables: those for which everything that is said here holds.',
  fields: (t) => ({
    functionId: t.id({ description: 'Of this function alone; null: of all functions of the project.' }),
  }),
})

function wanted(ctx: Context, where: typeof VariableWhere.$inferInput | null | undefined): Prisma.VariableWhereInput {
  const functionId = where?.functionId
  return { AND: [functionId === undefined ? {} : { functionId }, visibleVariables(ctx)] }
}

builder.queryFields((t) => ({
  variable: t.prismaField({
    type: Variable,
    nullable: true,
    access: read,
    description: 'One variable; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which variable.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.variable.findFirst({ ...query, where: { AND: [{ id }, visibleVariables(ctx)] } }),
  }),
  variables: t.prismaConnection(
    {
      type: Variable,
      cursor: 'id',
      access: read,
      description: 'The variables of the project, oldest first.',
      args: { where: t.arg({ type: VariableWhere, description: 'Which; all, if left out.' }) },
      totalCount: (_root, { where }, ctx) => ctx.db.variable.count({ where: wanted(ctx, where) }),
      resolve: (query, _root, { where }, ctx) =>
        ctx.db.variable.findMany({ ...query, where: wanted(ctx, where), orderBy: { id: 'asc' } }),
    },
    ...VariableList,
  ),
}))

builder.mutationFields((t) => ({
  setVariable: t.prismaFieldWithInput({
    typeOptions: { description: 'The name of a variable, and its value.' },
    type: Variable,
    access: write,
    description:
      'Sets a variable, of one function or of all functions of the project. Runs that begin within the next second may still see the one before.',
    input: {
      functionId: t.input.id({
        description: 'Which function; all of the project, if left out. The own ones of a function win.',
      }),
      key: t.input.string({
        required: true,
        validate: z.string().max(128),
        description: 'Letters, digits and underscores, up to 128. Names that begin with `TENDRIL_` are ours.',
      }),
      value: t.input.string({ required: true, description: 'Up to 64 KiB of text. It is not answered to anybody.' }),
    },
    resolve: (_query, _root, { input }, ctx) => setVariable(ctx, input),
  }),
  deleteVariable: t.id({
    access: write,
    description: 'Deletes a variable. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which variable.' }) },
    resolve: (_root, { id }, ctx) => deleteVariable(ctx, id),
  }),
}))

changedField({
  type: 'Variable',
  noun: 'variables',
  idKey: 'variableId',
  access: read,
  description: 'Variables that are set and deleted.',
  node: (t) =>
    t.prismaField({
      type: Variable,
      nullable: true,
      description: 'The variable as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.variable.findFirst({ ...query, where: { AND: [{ id }, visibleVariables(ctx)] } }),
    }),
})
