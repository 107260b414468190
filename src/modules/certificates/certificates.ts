import { X509Certificate } from 'node:crypto'
import type { Domain } from '../../../prisma/client/client.ts'
import { type Context, type Services, transaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { decrypt, encrypt } from '../../lib/secrets.ts'
import { domainFailed, domainIssued } from '../domains/events.ts'

const minute = 60_000
const day = 86_400_000

/** Waits after tries that failed: Let's Encrypt lets five of a name fail in an hour. */
const waits = [5 * minute, 30 * minute, 2 * 60 * minute, 8 * 60 * minute, day]

/** How long whoever has claimed a domain has to get its certificate, before another may. */
const claimMs = 10 * minute

/** Claims the domain if its certificate is due: of two at once, one has it. Null for the other, and when it has time. */
export async function claimDue(ctx: Context, domainId: string): Promise<Domain | null> {
  const now = ctx.clock()
  const [claimed] = await ctx.db.domain.updateManyAndReturn({
    where: { id: domainId, verifiedAt: { not: null }, renewAt: { lte: now }, project: { deletedAt: null } },
    data: { renewAt: new Date(now.getTime() + claimMs) },
  })
  return claimed ?? null
}

/** Keeps a certificate, and says when the next one is due. */
export async function keepCertificate(
  ctx: Context,
  domain: Domain,
  issued: { chain: string; key: string },
): Promise<void> {
  const { validFromDate, validToDate } = new X509Certificate(issued.chain)
  await transaction(ctx, async (tx) => {
    const data = {
      certificate: issued.chain,
      privateKey: encrypt(ctx.env.SECRET_KEYS, issued.key),
      expiresAt: validToDate,
      renewAt: renewalOf(validFromDate, validToDate),
      status: 'ISSUED' as const,
      reason: null,
      failures: 0,
    }
    // It may have been removed meanwhile, or be another project's.
    const { count } = await tx.db.domain.updateMany({ where: { id: domain.id, verifiedAt: { not: null } }, data })
    if (count === 0) return
    const { id: domainId, name, projectId } = domain
    await emit(tx, domainIssued, { domainId, name, expiresAt: validToDate.toISOString() }, projectId)
  })
}

/** 30 days before the end, or in the last third of a short life; up to a tenth of that earlier, so that not all come at once. */
function renewalOf(from: Date, to: Date): Date {
  const before = Math.min(30 * day, (to.getTime() - from.getTime()) / 3)
  return new Date(to.getTime() - before * (1 + Math.random() / 10))
}

/** Notes why there is no new certificate, and when it is tried again. A certificate that is valid stays in use. */
export async function noteFailure(ctx: Context, domain: Domain, reason: string, waitMs = 0): Promise<void> {
  const wait = Math.max(waitMs, waits[Math.min(domain.failures, waits.length - 1)] ?? day) * (1 + Math.random() / 5)
  const now = ctx.clock().getTime()
  const isServed = domain.expiresAt !== null && domain.expiresAt.getTime() > now
  await transaction(ctx, async (tx) => {
    const data = {
      status: isServed ? ('ISSUED' as const) : ('FAILED' as const),
      reason: reason.slice(0, 1_000),
      failures: domain.failures + 1,
      renewAt: new Date(now + wait),
    }
    const { count } = await tx.db.domain.updateMany({ where: { id: domain.id, verifiedAt: { not: null } }, data })
    const { id: domainId, name, projectId } = domain
    if (count > 0) await emit(tx, domainFailed, { domainId, name, reason: data.reason }, projectId)
  })
}

/** The key of Tendril's account at an authority. `make` is asked for one where there is none; of two at once, one is kept. */
export async function accountKey(ctx: Context, directoryUrl: string, make: () => Promise<string>): Promise<string> {
  const find = () => ctx.db.acmeAccount.findUnique({ where: { directoryUrl } })
  if (!(await find())) {
    const key = encrypt(ctx.env.SECRET_KEYS, await make())
    await ctx.db.acmeAccount.createMany({ data: [{ directoryUrl, key }], skipDuplicates: true })
  }
  const account = await find()
  if (!account) throw new Error('The account at the certificate authority is gone.')
  return decrypt(ctx.env.SECRET_KEYS, account.key)
}

export async function keepChallenge(ctx: Context, token: string, keyAuthorization: string): Promise<void> {
  const old = new Date(ctx.clock().getTime() - day)
  await ctx.db.acmeChallenge.deleteMany({ where: { createdAt: { lt: old } } })
  await ctx.db.acmeChallenge.upsert({
    where: { token },
    create: { token, keyAuthorization },
    update: { keyAuthorization },
  })
}

export async function dropChallenge(ctx: Context, token: string): Promise<void> {
  await ctx.db.acmeChallenge.deleteMany({ where: { token } })
}

/** What a certificate authority is to be answered; null for a token that is not ours. */
export async function findChallenge({ db }: Pick<Services, 'db'>, token: string): Promise<string | null> {
  const challenge = await db.acmeChallenge.findUnique({ where: { token } })
  return challenge?.keyAuthorization ?? null
}

export type Served = { id: string; name: string; pem: string | null }

/** Every verified domain with its certificate and key in one PEM, null while there is none. */
export async function servedDomains({ db, env }: Pick<Services, 'db' | 'env'>): Promise<Served[]> {
  const domains = await db.domain.findMany({
    where: { verifiedAt: { not: null }, project: { deletedAt: null } },
    orderBy: { id: 'asc' },
  })
  return domains.map(({ id, name, certificate, privateKey }) => ({
    id,
    name,
    pem: certificate && privateKey ? `${certificate.trim()}\n${decrypt(env.SECRET_KEYS, privateKey).trim()}\n` : null,
  }))
}
