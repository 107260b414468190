import type { Prisma, Project } from '../../../prisma/client/client.ts'
import { type Context, type CostLimits, consoleProjectId, transaction } from '../../context.ts'
import { Invalid, NotFound, Unauthenticated } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { memberCreated } from '../members/events.ts'
import { requireOwner } from '../members/members.ts'
import { type PresenceRule, requireRules } from '../presence/rules.ts'
import { projectCreated, projectDeleted, projectUpdated } from './events.ts'

/** The projects that this caller is a member of. Every read of projects goes through here. */
export function visibleProjects(ctx: Context): Prisma.ProjectWhereInput {
  const accountId = ctx.actor?.kind === 'account' ? ctx.actor.id : ''
  return { id: { not: consoleProjectId }, deletedAt: null, members: { some: { userId: accountId } } }
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

type Changes = {
  name?: string | null | undefined
  costLimits?: NewCostLimits | null | undefined
  auditDays?: number | null | undefined
  presenceRules?: readonly PresenceRule[] | null | undefined
}

/** For how many days the audit log of a project can be kept. */
export const auditDayLimits = { least: 1, most: 730 } as const

/** Null stands for the default. */
type NewCostLimits = { readonly [Key in keyof CostLimits]?: number | null | undefined }

/** Renames a project, or sets its limits, which only its owners may. What is left out stays. */
export async function updateProject(ctx: Context, id: string, changes: Changes): Promise<Project> {
  const { name, costLimits, auditDays, presenceRules } = changes
  const before = await getProject(ctx, id)
  if (costLimits || auditDays != null || presenceRules) await requireOwner(ctx, id)
  if (presenceRules) requireRules(presenceRules, ['input', 'presenceRules'])
  return transaction(ctx, async (ctx) => {
    const data = {
      ...(name ? { name } : {}),
      ...(auditDays != null ? { auditDays } : {}),
      ...(presenceRules ? { presenceRules: presenceRules.map((rule) => ({ ...rule })) } : {}),
      ...(costLimits ? { costLimits: mergeCostLimits(before.costLimits as CostLimits, costLimits) } : {}),
    }
    const project = await ctx.db.project.update({ where: { id }, data })
    await emit(ctx, projectUpdated, { projectId: id }, id)
    return project
  })
}

/**
 * Deletes a project, of which its name is to be given, so that nobody deletes another one than he means. From the commit
 * on it is as one that is not, for everybody; the deletes worker takes away what is in it. Only its owners may.
 */
export async function deleteProject(ctx: Context, { id, name }: { id: string; name: string }): Promise<string> {
  const project = await getProject(ctx, id)
  await requireOwner(ctx, id)
  if (project.name !== name) throw new Invalid('This is not the name of the project.', ['input', 'name'])
  return transaction(ctx, async (tx) => {
    const { count } = await tx.db.project.updateMany({
      where: { id, name, deletedAt: null },
      data: { deletedAt: ctx.clock() },
    })
    if (count === 0) throw new NotFound('There is no such project.')
    // What acts by itself acts no more.
    await tx.db.webhook.updateMany({ where: { projectId: id }, data: { enabled: false } })
    await tx.db.task.updateMany({ where: { projectId: id }, data: { enabled: false, nextRunAt: null } })
    await emit(tx, projectDeleted, { projectId: id }, id)
    return id
  })
}

function mergeCostLimits(before: CostLimits, changes: NewCostLimits): Record<string, number> {
  const merged = Object.entries({ ...before, ...definedOf(changes) })
  return Object.fromEntries(
    merged.flatMap(([audience, limit]) => (typeof limit === 'number' ? [[audience, limit]] : [])),
  )
}

function definedOf(changes: NewCostLimits): NewCostLimits {
  return Object.fromEntries(Object.entries(changes).filter(([, limit]) => limit !== undefined))
}
