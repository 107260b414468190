import { Prisma, type User } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { Conflict, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { isOperator } from '../operators/operators.ts'
import { userCreated, userDeleted, userUpdated } from './events.ts'
import { hashPassword } from './passwords.ts'

/** The users of the project that is asked. A user sees nobody but himself. */
export function visibleUsers(ctx: Context): Prisma.UserWhereInput {
  const { actor, projectId } = ctx
  if (actor?.kind === 'account' && actor.role === null) return { projectId, id: actor.id }
  if (isOperator(ctx)) return { projectId }
  return { projectId, id: actor?.id ?? '' }
}

export async function getUser(ctx: Context, id: string): Promise<User> {
  const user = await ctx.db.user.findFirst({ where: { AND: [{ id }, visibleUsers(ctx)] } })
  if (!user) throw new NotFound('There is no such user.')
  return user
}

export type NewUser = { email: string; password: string; name?: string | null | undefined }

/** Adds a user to the project that is asked. The address must be free there. */
export async function createUser(ctx: Context, input: NewUser): Promise<User> {
  const passwordHash = await hashPassword(input.password)
  return transaction(ctx, (ctx) => insertUser(ctx, { ...input, passwordHash }))
}

/** The same inside a transaction, for what makes a session besides. */
export async function insertUser(
  ctx: DbContext,
  input: { email: string; name?: string | null | undefined; passwordHash: string },
): Promise<User> {
  const { projectId } = ctx
  const { email, passwordHash } = input
  const user = await ctx.db.user
    .create({ data: { id: newId('usr'), projectId, email, name: input.name ?? '', passwordHash } })
    .catch(refuseTaken)
  await emit(ctx, userCreated, { userId: user.id })
  return user
}

function refuseTaken(error: unknown): never {
  const isTaken = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
  throw isTaken ? new Conflict('This address is taken.', ['input', 'email']) : error
}

export type UserChanges = {
  name?: string | null | undefined
  email?: string | null | undefined
  emailVerified?: boolean | null | undefined
  password?: string | null | undefined
  labels?: readonly string[] | null | undefined
  status?: 'ACTIVE' | 'BLOCKED' | null | undefined
}

/** Changes a user. One who is blocked or given another password is signed out everywhere. */
export async function updateUser(ctx: Context, id: string, changes: UserChanges): Promise<User> {
  const { password, ...others } = changes
  const passwordHash = password == null ? null : await hashPassword(password)
  return transaction(ctx, async (tx) => {
    await findForUpdate(ctx, tx, id)
    const user = await changeUser(tx, id, { ...others, passwordHash })
    if (passwordHash !== null || changes.status === 'BLOCKED') await tx.db.session.deleteMany({ where: { userId: id } })
    return user
  })
}

/** The same inside a transaction that has locked the user. An address that is new is not verified, unless that is said. */
export async function changeUser(
  tx: DbContext,
  id: string,
  changes: Omit<UserChanges, 'password'> & { passwordHash: string | null },
): Promise<User> {
  const { name, email, emailVerified, passwordHash, labels, status } = changes
  const before = await tx.db.user.findUniqueOrThrow({ where: { id } })
  const data: Prisma.UserUpdateInput = {
    ...(name != null && { name }),
    ...(email != null && { email, emailVerified: before.emailVerified && email === before.email }),
    ...(emailVerified != null && { emailVerified }),
    ...(passwordHash !== null && { passwordHash }),
    ...(labels != null && { labels: [...new Set(labels)] }),
    ...(status != null && { status }),
  }
  const user = await tx.db.user.update({ where: { id }, data }).catch(refuseTaken)
  await emit(tx, userUpdated, { userId: id })
  return user
}

export async function deleteUser(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    await findForUpdate(ctx, tx, id)
    await tx.db.user.delete({ where: { id } })
    await emit(tx, userDeleted, { userId: id })
    return id
  })
}

async function findForUpdate(ctx: Context, tx: DbContext, id: string): Promise<void> {
  const user = await tx.db.user.findFirst({ where: { AND: [{ id }, visibleUsers(ctx)] } })
  if (!user) throw new NotFound('There is no such user.')
  await tx.query('select 1 from users where id = $1 for update', [id])
}
