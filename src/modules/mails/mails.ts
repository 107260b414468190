import type { Mail, Prisma } from '../../../prisma/client/client.ts'
import type { Context, Services } from '../../context.ts'
import { newId } from '../../lib/ids.ts'
import { operatorRows } from '../operators/operators.ts'

/** The mails of the project that is asked, for those who run it. */
export function visibleMails(ctx: Context): Prisma.MailWhereInput {
  return operatorRows(ctx)
}

export type NewMail = { projectId: string; eventId: string; template: string; recipient: string }

/** Records that an event asks for a mail. There is one for each event, whoever asks how often: the same is answered. */
export async function createMail({ db }: Pick<Services, 'db'>, mail: NewMail): Promise<Mail> {
  await db.mail.createMany({ data: [{ id: newId('mai'), ...mail }], skipDuplicates: true })
  return db.mail.findUniqueOrThrow({ where: { eventId: mail.eventId } })
}

export async function findPendingMail({ db }: Pick<Services, 'db'>, id: string): Promise<Mail | null> {
  return db.mail.findFirst({ where: { id, status: 'PENDING' } })
}

export async function markSent(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  id: string,
  messageId: string,
): Promise<void> {
  const data = { status: 'SENT', messageId, sentAt: clock(), error: null } as const
  await db.mail.updateMany({ where: { id, status: 'PENDING' }, data })
}

/** It will not be sent. */
export async function markFailed({ db }: Pick<Services, 'db'>, id: string, error: string): Promise<void> {
  await db.mail.updateMany({
    where: { id, status: 'PENDING' },
    data: { status: 'FAILED', error: error.slice(0, 1000) },
  })
}

/** Why it is not sent yet. */
export async function noteError({ db }: Pick<Services, 'db'>, id: string, error: string): Promise<void> {
  await db.mail.updateMany({ where: { id, status: 'PENDING' }, data: { error: error.slice(0, 1000) } })
}
