import type { Prisma } from '../../../prisma/client/client.ts'
import { type Context, consoleProjectId } from '../../context.ts'
import { isOperator } from '../operators/operators.ts'

/** Whose jobs a caller sees: one project's; null, those that serve many projects at once. */
type Owner = { projectId: string | null }

/**
 * The jobs of the project that is asked, for those who run it; at `/graphql` those of no project, for those who run the
 * installation. Null: the caller sees none.
 */
export async function jobOwner(ctx: Context): Promise<Owner | null> {
  if (ctx.projectId !== consoleProjectId) return isOperator(ctx) ? { projectId: ctx.projectId } : null
  return (await isHost(ctx)) ? { projectId: null } : null
}

export async function visibleJobs(ctx: Context): Promise<{ projectId: string | null | { in: string[] } }> {
  return (await jobOwner(ctx)) ?? { projectId: { in: [] } }
}

/** The runs of the same jobs. Of those of no project none are kept. */
export async function visibleJobRuns(ctx: Context): Promise<Prisma.JobRunWhereInput> {
  const owner = await jobOwner(ctx)
  return { projectId: owner?.projectId == null ? { in: [] } : owner.projectId }
}

/** By the address that the account has proved: one that it only claims says nothing. */
async function isHost({ actor, env, db }: Context): Promise<boolean> {
  if (actor?.kind !== 'account' || env.OPERATORS.length === 0) return false
  const user = await db.user.findFirst({ where: { id: actor.id, projectId: consoleProjectId, emailVerified: true } })
  return user !== null && env.OPERATORS.some((address) => address.toLowerCase() === user.email.toLowerCase())
}
