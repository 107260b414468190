import type { Mail, Prisma } from '../../../prisma/client/client.ts'
import { asSystem, type Context, type DbContext, type Services, transaction } from '../../context.ts'
import { Conflict, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { forgetGivenUp } from '../../platform/queue/attempts.ts'
import { operatorRows, requireOperator } from '../operators/operators.ts'
import { mailCreated, mailFinished, mailResent } from './events.ts'
import { sendMailJob } from './jobs.ts'

export const mailLimits = {
  /** To one address from one project in an hour. What goes beyond is not sent. */
  recipientHour: 10,
  /** From one project in an hour. What goes beyond waits. */
  projectHour: 1_000,
} as const

const hourMs = 3_600_000
/** A mail that has been claimed for longer was cut off with its worker. One try takes less. */
const abandonedMs = 120_000

/** The mails of the project that is asked, for those who run it. */
export function visibleMails(ctx: Context): Prisma.MailWhereInput {
  return operatorRows(ctx)
}

export type NewMail = {
  projectId: string
  eventId: string
  template: string
  recipient: string
  payload: Prisma.InputJsonObject
}

/** Records that an event asks for a mail. There is one for each event, whoever asks how often: the same is answered. */
export async function createMail(services: Services, mail: NewMail): Promise<Mail> {
  return transaction(asSystem(services, 'mails', mail.projectId), (tx) => insertMail(tx, mail))
}

export async function insertMail(tx: DbContext, mail: NewMail): Promise<Mail> {
  const { recipientHour } = mailLimits
  const isTooMuch = (await sentTo(tx, mail)) >= recipientHour
  const error = `This address has had ${recipientHour} mails within an hour: no more are sent to it.`
  const outcome = isTooMuch ? { status: 'FAILED' as const, error } : {}
  const data = [{ id: newId('mai'), ...mail, ...outcome }]
  const [made] = await tx.db.mail.createManyAndReturn({ data, skipDuplicates: true })
  if (!made) return tx.db.mail.findUniqueOrThrow({ where: { eventId: mail.eventId } })
  await emit(tx, mailCreated, { mailId: made.id, template: made.template })
  if (isTooMuch) await tellFinished(tx, made, 'FAILED')
  return made
}

/** How many mails were asked for to that address within the last hour. */
function sentTo({ db, clock }: DbContext, { projectId, recipient }: NewMail): Promise<number> {
  const createdAt = { gt: new Date(clock().getTime() - hourMs) }
  return db.mail.count({ where: { projectId, recipient, createdAt } })
}

/** What there is to do for a mail: to send it, nothing more, or to look again later. */
export type Turn = { kind: 'send'; mail: Mail } | { kind: 'done' } | { kind: 'wait'; until: Date }

/** Takes a mail to be sent. Its row decides: of two workers that have the same job, one sends. */
export async function claimMail({ db, clock }: Pick<Services, 'db' | 'clock'>, id: string): Promise<Turn> {
  const now = clock()
  const mail = await db.mail.findFirst({ where: { id, status: 'PENDING' } })
  if (!mail) return { kind: 'done' }
  const sentAt = { gt: new Date(now.getTime() - hourMs) }
  const sent = await db.mail.count({ where: { projectId: mail.projectId, sentAt } })
  if (sent >= mailLimits.projectHour) return { kind: 'wait', until: new Date(now.getTime() + hourMs / 6) }
  const isFree = { OR: [{ claimedAt: null }, { claimedAt: { lt: new Date(now.getTime() - abandonedMs) } }] }
  const { count } = await db.mail.updateMany({ where: { id, status: 'PENDING', ...isFree }, data: { claimedAt: now } })
  return count > 0 ? { kind: 'send', mail } : { kind: 'wait', until: new Date(now.getTime() + abandonedMs / 4) }
}

export async function markSent(services: Services, id: string, messageId: string): Promise<void> {
  await settle(services, id, { status: 'SENT', messageId, sentAt: services.clock(), error: null })
}

/** It will not be sent. */
export async function markFailed(services: Services, id: string, error: string): Promise<void> {
  await settle(services, id, { status: 'FAILED', error: error.slice(0, 1000) })
}

type Outcome = Prisma.MailUpdateManyMutationInput & { status: 'SENT' | 'FAILED' }

async function settle(services: Services, id: string, outcome: Outcome): Promise<void> {
  await transaction(asSystem(services, 'mails', ''), async (tx) => {
    const data = { ...outcome, claimedAt: null }
    const [mail] = await tx.db.mail.updateManyAndReturn({ where: { id, status: 'PENDING' }, data })
    if (mail) await tellFinished(tx, mail, outcome.status)
  })
}

async function tellFinished(tx: DbContext, { id, template, projectId }: Mail, status: 'SENT' | 'FAILED') {
  await emit(tx, mailFinished, { mailId: id, template, status }, projectId)
}

/** Gives a mail back that could not be sent yet, and says why. */
export async function releaseMail({ db }: Pick<Services, 'db'>, id: string, error: string): Promise<void> {
  const data = { error: error.slice(0, 1000), claimedAt: null }
  await db.mail.updateMany({ where: { id, status: 'PENDING' }, data })
}

/** Makes a mail whose job was given up wait for it again. */
export async function reopenMail(tx: DbContext, id: string, projectId: string): Promise<void> {
  const where = { id, projectId, status: 'FAILED' } as const
  await forgetGivenUp(tx, ownJob(id))
  await tx.db.mail.updateMany({ where, data: { status: 'PENDING', error: null } })
}

/** The job that a mail which waits for too long is owed, whatever became of others for it. */
const ownJob = (id: string) => `${sendMailJob.name}:${id}`

/** Sends a mail that was refused or given up once more. */
export async function resendMail(ctx: Context, id: string): Promise<Mail> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    await tx.query('select 1 as locked from mails where id = $1 for update', [id])
    const mail = await tx.db.mail.findFirst({ where: { AND: [{ id }, visibleMails(ctx)] } })
    if (!mail) throw new NotFound('There is no such mail.')
    if (mail.status !== 'FAILED') throw new Conflict('Only a mail that has failed is sent again.')
    await forgetGivenUp(tx, ownJob(id))
    const resent = await tx.db.mail.update({ where: { id }, data: { status: 'PENDING', error: null } })
    await emit(tx, mailResent, { mailId: id, template: mail.template })
    return resent
  })
}
