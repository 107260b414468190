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
    .catch((error: unknown) => {
      const isTaken = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
      throw isTaken ? new Conflict('This address is taken.', ['input', 'email']) : error
    })
  await emit(ctx, userCreated, { userId: user.id })
  return user
}

export type UserChanges = {
  name?: string | null | undefined
  labels?: readonly string[] | null | undefined
  status?: 'ACTIVE' | 'BLOCKED' | null | undefined
}

/** Changes a user. A blocked one is signed out everywhere. */
export async function updateUser(ctx: Context, id: string, changes: UserChanges): Promise<User> {
  return transaction(ctx, async (tx) => {
    await findForUpdate(ctx, tx, id)
    const data: Prisma.UserUpdateInput = {}
    if (changes.name != null) data.name = changes.name
    if (changes.labels != null) data.labels = [...new Set(changes.labels)]
    if (changes.status != null) data.status = changes.status
    const user = await tx.db.user.update({ where: { id }, data })
    if (changes.status === 'BLOCKED') await tx.db.session.deleteMany({ where: { userId: id } })
    await emit(tx, userUpdated, { userId: id })
    return user
  })
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
