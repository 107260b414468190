import type { Prisma, Session, User } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { hashSecret, newSecret } from '../../lib/secrets.ts'
import { visibleUsers } from '../users/users.ts'
import { sessionCreated, sessionDeleted } from './events.ts'

const lifetimeMs = 365 * 24 * 3_600_000
/** Sessions that one user can have; the oldest makes room. */
export const maxSessions = 10

/** The sessions of the users that this caller may see, as long as they last. */
export function visibleSessions(ctx: Context): Prisma.SessionWhereInput {
  return { user: visibleUsers(ctx), expiresAt: { gt: ctx.clock() } }
}

export type CreatedSession = { session: Session; secret: string; user: User }

/** Signs a user in. The secret is answered once; only its hash is kept. */
export async function createSession(ctx: DbContext, user: User): Promise<CreatedSession> {
  const secret = newSecret('ses')
  const { ip, userAgent } = ctx.client
  const session = await ctx.db.session.create({
    data: {
      id: newId('ses'),
      projectId: ctx.projectId,
      userId: user.id,
      hash: hashSecret(secret),
      ip,
      userAgent: userAgent.slice(0, 500),
      expiresAt: new Date(ctx.clock().getTime() + lifetimeMs),
    },
  })
  await emit(ctx, sessionCreated, { sessionId: session.id, userId: user.id })
  const oldest = await ctx.db.session.findMany({
    where: { userId: user.id },
    orderBy: { id: 'desc' },
    skip: maxSessions,
  })
  for (const { id } of oldest) await removeSession(ctx, id, user.id)
  return { session, secret, user }
}

/** Ends a session: it is refused from the next request on, and its subscriptions end. */
export async function deleteSession(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    const session = await tx.db.session.findFirst({ where: { AND: [{ id }, visibleSessions(ctx)] } })
    if (!session) throw new NotFound('There is no such session.')
    await removeSession(tx, id, session.userId)
    return id
  })
}

/** Ends all sessions of a user but the one that asks. */
export async function endOtherSessions(tx: DbContext, userId: string, kept: string): Promise<void> {
  const others = await tx.query<{ id: string }>('delete from sessions where "userId" = $1 and id <> $2 returning id', [
    userId,
    kept,
  ])
  for (const { id } of others) await emit(tx, sessionDeleted, { sessionId: id, userId })
}

async function removeSession(ctx: DbContext, id: string, userId: string): Promise<void> {
  await ctx.db.session.delete({ where: { id } })
  await emit(ctx, sessionDeleted, { sessionId: id, userId })
}
