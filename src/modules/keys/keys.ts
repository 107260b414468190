import { type Key, Prisma } from '../../../prisma/client/client.ts'
import { type Context, consoleProjectId, transaction } from '../../context.ts'
import { Conflict, Invalid, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { hashSecret, newSecret } from '../../lib/secrets.ts'
import { keyCreated, keyDeleted } from './events.ts'
import { readScopes } from './scopes.ts'

/** The keys of the projects that this caller is a member of. Keys cannot read keys. */
export function visibleKeys(ctx: Context): Prisma.KeyWhereInput {
  const accountId = ctx.actor?.kind === 'account' ? ctx.actor.id : ''
  return { project: { deletedAt: null, members: { some: { userId: accountId } } } }
}

export type CreatedKey = { key: Key; secret: string }

/** Makes a key. Its secret is answered once; only the hash is kept. */
export async function createKey(
  ctx: Context,
  input: { projectId: string; name: string; scopes: readonly string[]; expiresAt?: Date | null | undefined },
): Promise<CreatedKey> {
  const { projectId, name, expiresAt } = input
  const scopes = readScopes(input.scopes)
  if (expiresAt && expiresAt <= ctx.clock())
    throw new Invalid('A key cannot expire in the past.', ['input', 'expiresAt'])
  await requireMember(ctx, projectId)
  const secret = newSecret('key')
  return transaction(ctx, async (ctx) => {
    const key = await ctx.db.key
      .create({
        data: { id: newId('key'), projectId, name, hash: hashSecret(secret), scopes, expiresAt: expiresAt ?? null },
      })
      .catch((error: unknown) => {
        const isTaken = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
        throw isTaken ? new Conflict(`This project already has a key named “${name}”.`, ['input', 'name']) : error
      })
    await emit(ctx, keyCreated, { keyId: key.id }, projectId)
    return { key, secret }
  })
}

/** Deletes a key: it is refused from the next request on, and its subscriptions end. */
export async function deleteKey(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    const key = await tx.db.key.findFirst({ where: { AND: [{ id }, visibleKeys(ctx)] } })
    if (!key) throw new NotFound('There is no such key.')
    await tx.db.key.delete({ where: { id } })
    await emit(tx, keyDeleted, { keyId: id }, key.projectId)
    return id
  })
}

async function requireMember(ctx: Context, projectId: string): Promise<void> {
  const accountId = ctx.actor?.kind === 'account' ? ctx.actor.id : ''
  const member = await ctx.db.member.findFirst({
    where: { projectId, userId: accountId, project: { deletedAt: null } },
  })
  if (!member || projectId === consoleProjectId) throw new NotFound('There is no such project.')
}
