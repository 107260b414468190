import type { User } from '../../../prisma/client/client.ts'
import { type Context, transaction } from '../../context.ts'
import { Unauthenticated } from '../../errors.ts'
import { type CreatedSession, createSession, deleteSession } from '../sessions/sessions.ts'
import { hashPassword, verifyPassword } from '../users/passwords.ts'
import { insertUser, type NewUser } from '../users/users.ts'

/** The signed-in person, for what a person does to his own account. Throws Unauthenticated for anybody else. */
export function requirePerson(ctx: Pick<Context, 'actor'>): { id: string; sessionId: string } {
  const { actor } = ctx
  if (actor?.kind !== 'account' && actor?.kind !== 'user') throw new Unauthenticated('Sign in first.')
  return actor
}

/** The caller's own user, null for a guest. */
export async function findAccount(ctx: Context): Promise<User | null> {
  const { actor } = ctx
  if (actor?.kind !== 'account' && actor?.kind !== 'user') return null
  return ctx.db.user.findUnique({ where: { id: actor.id } })
}

/** Makes a user of the project that is asked, and signs him in. */
export async function signUp(ctx: Context, input: NewUser): Promise<CreatedSession> {
  const passwordHash = await hashPassword(input.password)
  return transaction(ctx, async (ctx) => createSession(ctx, await insertUser(ctx, { ...input, passwordHash })))
}

/** Signs in. The same answer, after the same time, for a wrong password, an unknown address and a blocked user. */
export async function signIn(ctx: Context, input: { email: string; password: string }): Promise<CreatedSession> {
  const { projectId } = ctx
  const user = await ctx.db.user.findUnique({ where: { projectId_email: { projectId, email: input.email } } })
  const matches = await verifyPassword(user?.passwordHash ?? null, input.password)
  if (!user || !matches || user.status !== 'ACTIVE')
    throw new Unauthenticated('This address and password do not match.')
  return transaction(ctx, (ctx) => createSession(ctx, user))
}

/** Ends the session that asks. */
export async function signOut(ctx: Context): Promise<string> {
  return deleteSession(ctx, requirePerson(ctx).sessionId)
}
