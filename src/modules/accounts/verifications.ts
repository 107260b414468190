import type { User, Verification } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import type { Env } from '../../env.ts'
import { Conflict, Invalid, LimitExceeded } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { sign, verifySignature } from '../../lib/secrets.ts'
import { userUpdated } from '../users/events.ts'
import { requirePerson } from './accounts.ts'
import { verificationCreated } from './events.ts'

const lifetimeMs = 3_600_000
/** How many a user may ask for while they last. */
export const maxVerifications = 5
const purpose = 'verification'

/** The secret in the mail. It follows from the id and the server's key, so that neither the event nor a row holds it. */
export function verificationSecret(env: Env, verificationId: string): string {
  const [key] = env.SECRET_KEYS
  if (!key) throw new Error('SECRET_KEYS holds no key.')
  return sign(key, purpose, verificationId)
}

/** Asks for a mail that proves the caller's address; the mails worker sends it. */
export async function createVerification(ctx: Context): Promise<Verification> {
  const { id: userId } = requirePerson(ctx)
  return transaction(ctx, async (ctx) => {
    await ctx.query('select 1 as locked from users where id = $1 for update', [userId])
    const user = await ctx.db.user.findUniqueOrThrow({ where: { id: userId } })
    if (user.emailVerified) throw new Conflict('This address is verified already.')
    await requireFewer(ctx, userId)
    const expiresAt = new Date(ctx.clock().getTime() + lifetimeMs)
    const verification = await ctx.db.verification.create({
      data: { id: newId('ver'), projectId: ctx.projectId, userId, email: user.email, expiresAt },
    })
    await emit(ctx, verificationCreated, { verificationId: verification.id, userId })
    return verification
  })
}

/** Whoever is written to should not be flooded, and who asks should know it. */
async function requireFewer({ db, clock }: DbContext, userId: string): Promise<void> {
  const where = { userId, expiresAt: { gt: clock() } }
  const recent = await db.verification.findMany({ where, orderBy: { expiresAt: 'asc' }, select: { expiresAt: true } })
  const [first] = recent
  if (!first || recent.length < maxVerifications) return
  const retryAfterMs = first.expiresAt.getTime() - clock().getTime()
  throw new LimitExceeded(`At most ${maxVerifications} such mails are sent within an hour.`, retryAfterMs)
}

type Redeemed = { userId: string; email: string }

/** Redeems the link of the mail, once. Needs no session: people open mails on other devices. */
export async function confirmVerification(ctx: Context, input: { id: string; secret: string }): Promise<User> {
  const refusal = new Invalid('This link is not valid, or no longer.', ['input', 'secret'])
  if (!ctx.env.SECRET_KEYS.some((key) => verifySignature(key, purpose, input.id, input.secret))) throw refusal
  return transaction(ctx, async (ctx) => {
    // One conditional statement decides, so that of any number of parallel redeems one wins.
    const [redeemed] = await ctx.query<Redeemed>(
      `update verifications set "usedAt" = $3 where id = $1 and "projectId" = $2 and "usedAt" is null and "expiresAt" > $3
       returning "userId", email`,
      [input.id, ctx.projectId, ctx.clock()],
    )
    if (!redeemed) throw refusal
    const { count } = await ctx.db.user.updateMany({
      where: { id: redeemed.userId, email: redeemed.email },
      data: { emailVerified: true },
    })
    if (count === 0) throw refusal
    await emit(ctx, userUpdated, { userId: redeemed.userId })
    return ctx.db.user.findUniqueOrThrow({ where: { id: redeemed.userId } })
  })
}
