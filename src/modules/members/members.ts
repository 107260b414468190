import { type Member, type MemberRole, Prisma } from '../../../prisma/client/client.ts'
import { type Context, consoleProjectId, type DbContext, transaction } from '../../context.ts'
import { Conflict, Forbidden, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { memberCreated, memberDeleted, memberUpdated } from './events.ts'

/** The members of the projects that this caller is a member of. */
export function visibleMembers(ctx: Context): Prisma.MemberWhereInput {
  const accountId = ctx.actor?.kind === 'account' ? ctx.actor.id : ''
  return { project: { deletedAt: null, members: { some: { userId: accountId } } } }
}

/** Adds an account, found by its address, to a project of which the caller is an owner. */
export async function addMember(
  ctx: Context,
  input: { projectId: string; email: string; role: MemberRole },
): Promise<Member> {
  await requireOwner(ctx, input.projectId)
  return transaction(ctx, async (ctx) => {
    const { projectId, email, role } = input
    const user = await ctx.db.user.findUnique({ where: { projectId_email: { projectId: consoleProjectId, email } } })
    if (!user) throw new NotFound('No account has this address.', ['input', 'email'])
    // Anybody can give it. Where no mails are sent nobody can show that it is theirs.
    if (!user.emailVerified && ctx.env.SMTP_URL !== undefined)
      throw new Conflict('Whoever has this address has not verified it yet.', ['input', 'email'])
    const member = await ctx.db.member
      .create({ data: { id: newId('mem'), projectId, userId: user.id, role } })
      .catch((error: unknown) => {
        const isTaken = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
        throw isTaken ? new Conflict('This account is a member already.', ['input', 'email']) : error
      })
    await emit(ctx, memberCreated, { memberId: member.id, projectId, userId: user.id }, projectId)
    return member
  })
}

/** Gives a member another role. The last owner stays one. */
export async function updateMember(ctx: Context, id: string, role: MemberRole): Promise<Member> {
  const { projectId, userId } = await changeableMember(ctx, id)
  return transaction(ctx, async (ctx) => {
    await holdMember(ctx, projectId, id)
    await requireOwner(ctx, projectId)
    if (role !== 'OWNER') await requireOtherOwner(ctx, projectId, id)
    const member = await ctx.db.member.update({ where: { id }, data: { role } })
    await emit(ctx, memberUpdated, { memberId: id, projectId, userId }, projectId)
    return member
  })
}

/** Ends a membership. The last owner stays: a project without one could not be given to anybody. */
export async function removeMember(ctx: Context, id: string): Promise<string> {
  const { projectId, userId } = await changeableMember(ctx, id)
  return transaction(ctx, async (ctx) => {
    await holdMember(ctx, projectId, id)
    await requireOwner(ctx, projectId)
    await requireOtherOwner(ctx, projectId, id)
    await ctx.db.member.delete({ where: { id } })
    await emit(ctx, memberDeleted, { memberId: id, projectId, userId }, projectId)
    return id
  })
}

async function changeableMember(ctx: Context, id: string): Promise<Member> {
  const member = await ctx.db.member.findFirst({ where: { AND: [{ id }, visibleMembers(ctx)] } })
  if (!member) throw new NotFound('There is no such member.')
  await requireOwner(ctx, member.projectId)
  return member
}

/** Holds the project, so that two owners who go at once do not both find the other one there. */
async function holdMember(ctx: DbContext, projectId: string, id: string): Promise<void> {
  await ctx.query('select 1 from projects where id = $1 for update', [projectId])
  const there = await ctx.query('select 1 from members where id = $1', [id])
  if (there.length === 0) throw new NotFound('There is no such member.')
}

async function requireOtherOwner(ctx: DbContext, projectId: string, id: string): Promise<void> {
  const owners = await ctx.db.member.count({ where: { projectId, role: 'OWNER', id: { not: id } } })
  if (owners === 0) throw new Conflict('This is the last owner of the project.')
}

/** Throws NotFound for a project of others, and Forbidden for a member who is no owner. */
export async function requireOwner(ctx: Pick<DbContext, 'actor' | 'db'>, projectId: string): Promise<void> {
  const accountId = ctx.actor?.kind === 'account' ? ctx.actor.id : ''
  const member = await ctx.db.member.findFirst({
    where: { projectId, userId: accountId, project: { deletedAt: null } },
  })
  if (!member || projectId === consoleProjectId) throw new NotFound('There is no such project.')
  if (member.role !== 'OWNER') throw new Forbidden('Only an owner of the project may do this.')
}
