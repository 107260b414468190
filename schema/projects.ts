import { z } from 'zod'
import type { CostLimits as Limits } from '../src/context.ts'
import { costLimits } from '../src/http/limits.ts'
import { visibleKeys } from '../src/modules/keys/keys.ts'
import { visibleMembers } from '../src/modules/members/members.ts'
import { ruleLimits, rulesOf } from '../src/modules/presence/rules.ts'
import {
  auditDayLimits,
  createProject,
  deleteProject,
  updateProject,
  visibleProjects,
} from '../src/modules/projects/projects.ts'
import { readUsage } from '../src/modules/usage/usage.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { Key, KeyList } from './keys.ts'
import { Member, MemberList } from './members.ts'
import { PresenceRule, PresenceRuleInput } from './presence.ts'
import { Usage, usageArgs } from './usage.ts'

const audiences = {
  client: 'end users and guests',
  server: 'API keys',
  console: 'members of the project',
} as const

const costLimit = builder.objectRef<Limits>('CostLimits').implement({
  description: 'The most that one operation may cost in a project. `extensions.cost` of each answer says what it did.',
  fields: (t) => {
    const limit = (audience: keyof typeof audiences) =>
      t.int({
        description: `For ${audiences[audience]}: ${costLimits[audience].toLocaleString('en-US')} unless it was set.`,
        resolve: (limits) => limits[audience] ?? costLimits[audience],
      })
    return { client: limit('client'), server: limit('server'), console: limit('console') }
  },
})

const costLimitsInput = builder.inputType('CostLimitsInput', {
  description: 'The most that one operation may cost. What is left out stays; null stands for the default.',
  fields: (t) => {
    const limit = (audience: keyof typeof audiences) =>
      t.int({
        validate: z.number().int().min(100).max(costLimits.most),
        description: `For ${audiences[audience]}: 100 to ${costLimits.most.toLocaleString('en-US')}.`,
      })
    return { client: limit('client'), server: limit('server'), console: limit('console') }
  },
})

export const Project = builder.prismaObject('Project', {
  description: 'One tenant: its own users, collections, keys and API.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the project in URLs: `/projects/{id}/graphql`.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    costLimits: t.field({
      type: costLimit,
      description: 'The most that one operation may cost in it.',
      select: { costLimits: true },
      resolve: (project) => project.costLimits as Limits,
    }),
    presenceRules: t.field({
      type: [PresenceRule],
      description:
        'Who may be at which topics of `joined` and `presence`. The first rule that matches decides; where none does, users may.',
      select: { presenceRules: true },
      resolve: rulesOf,
    }),
    auditDays: t.exposeInt('auditDays', { description: 'For how many days its audit log is kept.' }),
    endpoint: t.string({
      description: "Where the project's own API and its GraphiQL are.",
      select: { id: true },
      resolve: (project, _args, ctx) => `${ctx.env.PUBLIC_URL}/projects/${project.id}/graphql`,
    }),
    usage: t.field({
      type: Usage,
      description: 'How much it has used. Counts are there within seconds, measures within minutes.',
      args: usageArgs,
      select: { id: true },
      // Whoever holds a project has shown that it is theirs.
      resolve: ({ id }, { range, metrics }, ctx) => readUsage(ctx, id, range ?? 'D30', metrics ?? null),
    }),
    members: t.relatedConnection(
      'members',
      {
        type: Member,
        cursor: 'id',
        totalCount: true,
        description: 'The accounts that work on the project.',
        query: (_args, ctx) => ({ where: visibleMembers(ctx), orderBy: { id: 'asc' } }),
      },
      ...MemberList,
    ),
    keys: t.relatedConnection(
      'keys',
      {
        type: Key,
        cursor: 'id',
        totalCount: true,
        description: 'The API keys of the project.',
        query: (_args, ctx) => ({ where: visibleKeys(ctx), orderBy: { id: 'asc' } }),
      },
      ...KeyList,
    ),
  }),
})

export const ProjectList = connectionOf(Project, 'Project')

builder.queryFields((t) => ({
  project: t.prismaField({
    type: Project,
    nullable: true,
    access: { audience: ['owner'] },
    description: 'One project of yours; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which project.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.project.findFirst({ ...query, where: { AND: [{ id }, visibleProjects(ctx)] } }),
  }),
  projects: t.prismaConnection(
    {
      type: Project,
      cursor: 'id',
      access: { audience: ['owner'] },
      description: 'The projects that you are a member of.',
      totalCount: (_root, _args, ctx) => ctx.db.project.count({ where: visibleProjects(ctx) }),
      resolve: (query, _root, _args, ctx) =>
        ctx.db.project.findMany({ ...query, where: visibleProjects(ctx), orderBy: { id: 'asc' } }),
    },
    ...ProjectList,
  ),
}))

const name = z.string().trim().min(1).max(128)

builder.mutationFields((t) => ({
  createProject: t.prismaFieldWithInput({
    typeOptions: { description: 'A new project.' },
    type: Project,
    access: { audience: ['owner'] },
    description: 'Makes a project, with you as its owner.',
    input: {
      name: t.input.string({
        required: true,
        validate: name,
        description: 'What people call it: 1 to 128 characters.',
      }),
    },
    resolve: async (query, _root, { input }, ctx) => {
      const { id } = await createProject(ctx, input)
      return ctx.db.project.findUniqueOrThrow({ ...query, where: { id } })
    },
  }),
  updateProject: t.prismaFieldWithInput({
    typeOptions: { description: 'Changes of a project. What is left out stays.' },
    type: Project,
    access: { audience: ['owner'] },
    description: 'Changes a project of yours. What is left out stays.',
    input: {
      id: t.input.id({ required: true, description: 'Which project.' }),
      name: t.input.string({ validate: name, description: 'What people call it: 1 to 128 characters.' }),
      auditDays: t.input.int({
        validate: z.int().min(auditDayLimits.least).max(auditDayLimits.most),
        description: `For how many days its audit log is kept: ${auditDayLimits.least} to ${auditDayLimits.most}. Only owners may set it.`,
      }),
      presenceRules: t.input.field({
        type: [PresenceRuleInput],
        description: `Who may be at which topics, instead of the rules before: up to ${ruleLimits.rules}. Only owners may set it.`,
      }),
      costLimits: t.input.field({
        type: costLimitsInput,
        description: 'The most that one operation may cost in it. Only owners may set it.',
      }),
    },
    resolve: async (query, _root, { input: { id, ...changes } }, ctx) => {
      await updateProject(ctx, id, changes)
      return ctx.db.project.findUniqueOrThrow({ ...query, where: { id } })
    },
  }),
  deleteProject: t.fieldWithInput({
    typeOptions: { description: 'The project that is to be deleted, named twice.' },
    type: 'ID',
    access: { audience: ['owner'] },
    description:
      'Deletes a project of yours with all that is in it. It is gone at once, for everybody. Only owners may. Answers its id.',
    input: {
      id: t.input.id({ required: true, description: 'Which project.' }),
      name: t.input.string({ required: true, description: 'Its name, to be sure that it is this one that you mean.' }),
    },
    resolve: (_root, { input }, ctx) => deleteProject(ctx, input),
  }),
}))

changedField({
  type: 'Project',
  noun: 'projects',
  idKey: 'projectId',
  access: { audience: ['console'] },
  description: 'Changes of the project itself.',
  node: (t) =>
    t.prismaField({
      type: Project,
      nullable: true,
      description: 'The project as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.project.findFirst({ ...query, where: { AND: [{ id }, visibleProjects(ctx)] } }),
    }),
})
