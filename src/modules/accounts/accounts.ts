import type { User } from '../../../prisma/client/client.ts'
import { type Context, transaction } from '../../context.ts'
import { Conflict, Invalid, Unauthenticated } from '../../errors.ts'
import { type CreatedSession, createSession, deleteSession, endOtherSessions } from '../sessions/sessions.ts'
import { hashPassword, verifyPassword } from '../users/passwords.ts'
import { changeUser, insertUser, type NewUser, type UserChanges } from '../users/users.ts'
import { beginPasswordAttempt, countSignUp, rememberPlace } from './attempts.ts'

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

/** Makes a user of the project that is asked, and signs him in. Whoever decides on it is asked once it is counted. */
export async function signUp(
  ctx: Context,
  asked: NewUser,
  decide: (asked: NewUser) => Promise<NewUser> = async () => asked,
): Promise<CreatedSession> {
  await countSignUp(ctx)
  const input = await decide(asked)
  const passwordHash = await hashPassword(input.password)
  const created = await transaction(ctx, async (tx) =>
    createSession(tx, await insertUser(tx, { ...input, passwordHash })),
  )
  await asBestItCan(ctx, rememberPlace(ctx, created.user.email))
  return created
}

/** Signs in. The same answer, after the same time, for a wrong password, an unknown address and a blocked user. */
export async function signIn(ctx: Context, input: { email: string; password: string }): Promise<CreatedSession> {
  const { projectId } = ctx
  const attempt = await beginPasswordAttempt(ctx, input.email)
  const user = await ctx.db.user.findUnique({ where: { projectId_email: { projectId, email: input.email } } })
  const matches = await verifyPassword(user?.passwordHash ?? null, input.password)
  const refusal = new Unauthenticated('This address and password do not match.')
  if (!user || !matches || user.status !== 'ACTIVE') throw refusal
  const created = await transaction(ctx, async (tx) => {
    // Whoever changes the password or blocks the user ends the sessions that there are: none comes in behind that.
    const same = await tx.query(
      `select 1 as same from users where id = $1 and "passwordHash" = $2 and status = 'ACTIVE' for share`,
      [user.id, user.passwordHash],
    )
    if (same.length === 0) throw refusal
    return createSession(tx, user)
  })
  await asBestItCan(ctx, attempt.wasRight())
  return created
}

/** What was done is answered, though what is to be remembered of it is not. */
async function asBestItCan({ log }: Context, remembering: Promise<void>): Promise<void> {
  await remembering.catch((error) => log.warn({ err: error }, 'a sign-in is not remembered'))
}

export type AccountChanges = Pick<UserChanges, 'name' | 'email' | 'password'> & {
  currentPassword?: string | null | undefined
}

type Decide = (
  id: string,
  asked: Pick<AccountChanges, 'name' | 'email'>,
) => Promise<Pick<AccountChanges, 'name' | 'email'>>

/**
 * Changes the caller's own user. What others could take the account over with needs the password that it has; whoever decides on
 * it is asked once that was shown.
 */
export async function updateAccount(
  ctx: Context,
  changes: AccountChanges,
  decide: Decide = async (_id, asked) => asked,
): Promise<User> {
  const { id, sessionId } = requirePerson(ctx)
  const { password, currentPassword } = changes
  const needsPassword = changes.email != null || password != null
  const shown = needsPassword ? await requirePassword(ctx, id, currentPassword ?? null) : null
  const { name, email } = await decide(id, { name: changes.name, email: changes.email })
  const passwordHash = password == null ? null : await hashPassword(password)
  const changed = await transaction(ctx, async (tx) => {
    const [row] = await tx.query<{ hash: string }>(
      'select "passwordHash" as hash from users where id = $1 for update',
      [id],
    )
    if (shown !== null && row?.hash !== shown) throw new Conflict('The password has just been changed.')
    const user = await changeUser(tx, id, { name, email, passwordHash })
    if (passwordHash !== null) await endOtherSessions(tx, id, sessionId)
    return user
  })
  if (email != null) await asBestItCan(ctx, rememberPlace(ctx, changed.email))
  return changed
}

/** Answers the hash of the password that was shown. */
async function requirePassword(ctx: Context, id: string, password: string | null): Promise<string> {
  const path = ['input', 'currentPassword']
  if (password === null) throw new Invalid('Another address or password needs the present password.', path)
  const { email, passwordHash } = await ctx.db.user.findUniqueOrThrow({ where: { id } })
  const attempt = await beginPasswordAttempt(ctx, email)
  if (!(await verifyPassword(passwordHash, password))) throw new Invalid('This is not your present password.', path)
  await attempt.wasRight()
  return passwordHash
}

/** Ends the session that asks. */
export async function signOut(ctx: Context): Promise<string> {
  return deleteSession(ctx, requirePerson(ctx).sessionId)
}
