import type { Domain, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, takeTurn, transaction } from '../../context.ts'
import { Conflict, Invalid, LimitExceeded, NotFound, Unavailable } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { operatorRows, requireOperator } from '../operators/operators.ts'
import { domainCreated, domainDeleted, domainPointed, domainRevoked, domainVerified } from './events.ts'
import { type DnsRecord, pointsHere, proofOf, proofsOf, targetOf } from './pointing.ts'

/** Most domains of a project. */
export const domainLimit = 100

const form = /^(?=.{4,253}$)(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z](?:[a-z\d-]{0,61}[a-z\d])$/

/** The domains of the project that is asked, for those who run it. */
export function visibleDomains(ctx: Context): Prisma.DomainWhereInput {
  return operatorRows(ctx)
}

/** Adds a domain that does not have to point here yet. */
export async function createDomain(ctx: Context, input: { name: string }): Promise<Domain> {
  requireOperator(ctx)
  if (!ctx.env.ACME_EMAIL)
    throw new Unavailable('This server has no certificates for domains: its operator has to set ACME_EMAIL.')
  const name = input.name.trim().toLowerCase().replace(/\.$/, '')
  if (!form.test(name)) throw new Invalid('It must be a domain name like api.example.com.', ['input', 'name'])
  if (name === targetOf(ctx.env).value) throw new Conflict('This is the name of the server itself.', ['input', 'name'])
  const { projectId } = ctx
  return transaction(ctx, async (tx) => {
    await tx.query('select from projects where id = $1 for update', [projectId])
    if (await tx.db.domain.findUnique({ where: { projectId_name: { projectId, name } } })) {
      throw new Conflict('This project already has that domain.', ['input', 'name'])
    }
    if ((await tx.db.domain.count({ where: { projectId } })) >= domainLimit) {
      throw new LimitExceeded(`A project has at most ${domainLimit} domains.`)
    }
    const domain = await tx.db.domain.create({ data: { id: newId('dom'), projectId, name } })
    await emit(tx, domainCreated, { domainId: domain.id, name })
    return domain
  })
}

/** Looks whether a domain points here, and is for this project; then a certificate is asked for. Asked again, it tries again what has failed. */
export async function verifyDomain(ctx: Context, id: string): Promise<Domain> {
  const asked = await getDomain(ctx, id)
  const { name, status } = asked
  if (status === 'ISSUED' || status === 'ISSUING') throw new Conflict('This domain is verified already.')
  if (!(await pointsHere(ctx.env, name)))
    throw missing(`${name} does not point here yet`, { name, ...targetOf(ctx.env) })
  const proofs = asked.verifiedAt === null ? await proofsOf(ctx.env, name) : null
  if (proofs?.includes(proofOf(asked).value) === false)
    throw missing(`${name} is not known to be for this project`, proofOf(asked))
  return transaction(ctx, async (tx) => {
    // One at a time has a name: two projects that verify it at once meet here.
    await takeTurn(tx, `domains ${name}`)
    const holder = await tx.db.domain.findFirst({ where: { name, verifiedAt: { not: null }, id: { not: id } } })
    if (holder) await takeOver(tx, holder, proofs)
    const now = ctx.clock()
    const [domain] = await tx.db.domain.updateManyAndReturn({
      // Whose record was not looked at is verified by what was known of it, unless another has taken it over meanwhile.
      where: { id, ...(proofs === null && { verifiedAt: { not: null } }) },
      data: { status: 'ISSUING', reason: null, verifiedAt: now, renewAt: now, failures: 0 },
    })
    if (!domain) throw (await tx.db.domain.findUnique({ where: { id } })) ? takenOver() : notFound()
    await emit(tx, domainVerified, { domainId: id, name })
    return domain
  })
}

/**
 * A name belongs to the project that has verified it, until DNS says of another one that it is for it, and of that one no
 * more: whoever has a name by then decides on both records.
 */
async function takeOver(tx: DbContext, holder: Domain, proofs: readonly string[] | null): Promise<void> {
  const { name, value } = proofOf(holder)
  if (proofs === null) throw takenOver()
  if (proofs.includes(value))
    throw new Conflict(
      `Another project has verified this domain. It is yours once the record ${name} TXT ${value} is gone. DNS may take a while.`,
    )
  const without = { verifiedAt: null, certificate: null, privateKey: null, expiresAt: null, renewAt: null, failures: 0 }
  const reason = 'Another project has verified this domain.'
  await tx.db.domain.update({ where: { id: holder.id }, data: { ...without, status: 'PENDING', reason } })
  // Who has done it is no matter of the project that it was of.
  const nobody = { ...tx, actor: { kind: 'system', id: 'domains' } as const, run: undefined, span: undefined }
  await emit(nobody, domainRevoked, { domainId: holder.id, name: holder.name }, holder.projectId)
}

function takenOver(): Conflict {
  return new Conflict('Another project has verified this domain.')
}

function missing(what: string, { name, type, value }: DnsRecord): Invalid {
  return new Invalid(`${what}: it needs a record ${name} ${type} ${value}. DNS may take a while.`, ['id'])
}

/** Has a function answer at a domain, or, with null, the project's API again. */
export async function pointDomain(ctx: Context, id: string, functionId: string | null): Promise<Domain> {
  const { name } = await getDomain(ctx, id)
  return transaction(ctx, async (tx) => {
    // Held until the commit: it is not deleted meanwhile.
    const found =
      functionId === null ||
      (
        await tx.query(
          'select 1 as found from functions where id = $1 and "projectId" = $2 and "deletedAt" is null for share',
          [functionId, ctx.projectId],
        )
      )[0]
    if (!found) throw new NotFound('There is no such function.', ['input', 'functionId'])
    const [domain] = await tx.db.domain.updateManyAndReturn({ where: { id }, data: { functionId } })
    if (!domain) throw notFound()
    await emit(tx, domainPointed, { domainId: id, name, functionId })
    return domain
  })
}

/** Deletes a domain, and with it its certificate. Answers its id. */
export async function deleteDomain(ctx: Context, id: string): Promise<string> {
  const { name } = await getDomain(ctx, id)
  return transaction(ctx, async (tx) => {
    const { count } = await tx.db.domain.deleteMany({ where: { id } })
    if (count === 0) throw notFound()
    await emit(tx, domainDeleted, { domainId: id, name })
    return id
  })
}

async function getDomain(ctx: Context, id: string): Promise<Domain> {
  const domain = await ctx.db.domain.findFirst({ where: { AND: [{ id }, visibleDomains(ctx)] } })
  if (!domain) throw notFound()
  return domain
}

function notFound(): NotFound {
  return new NotFound('There is no such domain.')
}
