import { z } from 'zod'
import { visibleKeys } from '../src/modules/keys/keys.ts'
import { visibleMembers } from '../src/modules/members/members.ts'
import { createProject, getProject, updateProject, visibleProjects } from '../src/modules/projects/projects.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connections.ts'
import { Key, KeyList } from './keys.ts'
import { Member, MemberList } from './members.ts'

export const Project = builder.prismaObject('Project', {
  description: 'One tenant: its own users, collections, keys and API.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the project in URLs: `/projects/{id}/graphql`.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    endpoint: t.string({
      description: "Where the project's own API and its GraphiQL are.",
      select: { id: true },
      resolve: (project, _args, ctx) => `${ctx.env.PUBLIC_URL}/projects/${project.id}/graphql`,
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
    access: { audience: ['owner'] },
    description: 'One project of yours.',
    args: { id: t.arg.id({ required: true, description: 'Which.' }) },
    resolve: async (query, _root, { id }, ctx) => {
      await getProject(ctx, id)
      return ctx.db.project.findUniqueOrThrow({ ...query, where: { id } })
    },
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
    type: Project,
    access: { audience: ['owner'] },
    description: 'Renames a project of yours.',
    input: {
      id: t.input.id({ required: true, description: 'Which.' }),
      name: t.input.string({
        required: true,
        validate: name,
        description: 'What people call it: 1 to 128 characters.',
      }),
    },
    resolve: async (query, _root, { input: { id, name } }, ctx) => {
      await updateProject(ctx, id, { name })
      return ctx.db.project.findUniqueOrThrow({ ...query, where: { id } })
    },
  }),
}))
