import type { Mail, Prisma } from '../../../prisma/client/client.ts'
import { asSystem, type Context, type Services, transaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { operatorRows } from '../operators/operators.ts'
import { mailCreated, mailFinished } from './events.ts'

/** The mails of the project that is asked, for those who run it. */
export function visibleMails(ctx: Context): Prisma.MailWhereInput {
  return operatorRows(ctx)
}

export type NewMail = { projectId: string; eventId: string; template: string; recipient: string }

/** Records that an event asks for a mail. There is one for each event, whoever asks how often: the same is answered. */
export async function createMail(services: Services, mail: NewMail): Promise<Mail> {
  return transaction(asSystem(services, 'mails', mail.projectId), async (tx) => {
    const [made] = await tx.db.mail.createManyAndReturn({ data: [{ id: newId('mai'), ...mail }], skipDuplicates: true })
    if (!made) return tx.db.mail.findUniqueOrThrow({ where: { eventId: mail.eventId } })
    await emit(tx, mailCreated, { mailId: made.id, template: made.template })
    return made
  })
}

export async function findPendingMail({ db }: Pick<Services, 'db'>, id: string): Promise<Mail | null> {
  return db.mail.findFirst({ where: { id, status: 'PENDING' } })
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
    const [mail] = await tx.db.mail.updateManyAndReturn({ where: { id, status: 'PENDING' }, data: outcome })
    if (mail)
      await emit(tx, mailFinished, { mailId: id, template: mail.template, status: outcome.status }, mail.projectId)
  })
}

/** Why it is not sent yet. */
export async function noteError({ db }: Pick<Services, 'db'>, id: string, error: string): Promise<void> {
  await db.mail.updateMany({ where: { id, status: 'PENDING' }, data: { error: error.slice(0, 1000) } })
}
