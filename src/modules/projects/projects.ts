import type { Prisma, Project } from '../../../prisma/client/client.ts'
import { type Context, consoleProjectId, transaction } from '../../context.ts'
import { NotFound, Unauthenticated } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { memberCreated } from '../members/events.ts'
import { projectCreated, projectUpdated } from './events.ts'

/** The projects that this caller is a member of. Every read of projects goes through here. */
export function visibleProjects(ctx: Context): Prisma.ProjectWhereInput {
  const accountId = ctx.actor?.kind === 'account' ? ctx.actor.id : ''
  return { id: { not: consoleProjectId }, members: { some: { userId: accountId } } }
}

/** One of them by its id. Throws NotFound, the same for one that is another's and for one that is not. */
export async function getProject(ctx: Context, id: string): Promise<Project> {
  const project = await ctx.db.project.findFirst({ where: { AND: [{ id }, visibleProjects(ctx)] } })
  if (!project) throw new NotFound('There is no such project.')
  return project
}

/** Makes a project, with the caller as its owner. */
export async function createProject(ctx: Context, input: { name: string }): Promise<Project> {
  const { actor } = ctx
  if (actor?.kind !== 'account') throw new Unauthenticated('Sign in first.')
  return transaction(ctx, async (ctx) => {
    const projectId = newId('prj')
    const project = await ctx.db.project.create({ data: { id: projectId, name: input.name } })
    const member = await ctx.db.member.create({
      data: { id: newId('mem'), projectId, userId: actor.id, role: 'OWNER' },
    })
    await emit(ctx, projectCreated, { projectId }, projectId)
    await emit(ctx, memberCreated, { memberId: member.id, projectId, userId: actor.id }, projectId)
    return project
  })
}

/** Renames a project. */
export async function updateProject(ctx: Context, id: string, changes: { name: string }): Promise<Project> {
  await getProject(ctx, id)
  return transaction(ctx, async (ctx) => {
    const project = await ctx.db.project.update({ where: { id }, data: { name: changes.name } })
    await emit(ctx, projectUpdated, { projectId: id }, id)
    return project
  })
}
