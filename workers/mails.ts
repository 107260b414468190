import type { Services } from '../src/context.ts'
import { type LoggedEvent, matchesEvent } from '../src/logged-event.ts'
import { renderMail } from '../src/mails/render.ts'
import { sendMailJob } from '../src/modules/mails/jobs.ts'
import { createMail, findPendingMail, markFailed, markSent, noteError } from '../src/modules/mails/mails.ts'
import { type Mailer, MailRefused } from '../src/platform/mail.ts'
import { implement, type Owed, type Reaction, type Run, type Worker } from './implement.ts'
import { type Letter, letters } from './mails/letters.ts'

/** A mail, and a job for it, for each event that one of the letters answers. */
const writeMails: Reaction = async (services, events) => {
  const owed: Owed[] = []
  for (const event of events) {
    const letter = letters.find(({ on }) => matchesEvent(on, event))
    const mailId = letter && (await recordMail(services, letter, event))
    if (mailId) owed.push({ job: sendMailJob, key: mailId, data: { mailId, payload: event.payload } })
  }
  return owed
}

async function recordMail(services: Services, letter: Letter, event: LoggedEvent): Promise<string | null> {
  const recipient = await letter.recipient(services, event)
  if (recipient === null) return null
  const { id: eventId, projectId } = event
  return (await createMail(services, { projectId, eventId, template: letter.template, recipient })).id
}

/** Sends mails: one for each event that asks for one, to the one address that is stored. */
export const mails: Worker = {
  name: 'mails',
  jobs: [],
  outgoing: ({ mailer }) => [
    implement(
      sendMailJob,
      (run, data) => sendMail(run, mailer, data),
      (services, { mailId }, reason) => markFailed(services, mailId, reason),
    ),
  ],
  reactions: [writeMails],
  // Without a mail server they wait, recorded, until there is one.
  owed: async ({ sql, clock, env }) => {
    if (!env.SMTP_URL) return []
    const { rows } = await sql.query<{ mailId: string; payload: unknown }>(
      `select m.id as "mailId", a.payload from mails m join audits a on a.id = m."eventId"
       where m.status = 'PENDING' and m."createdAt" < $1 order by m."createdAt" limit 1000`,
      [new Date(clock().getTime() - 60_000)],
    )
    return rows.map((data) => ({ job: sendMailJob, key: data.mailId, data }))
  },
}

type Data = { mailId: string; payload: Record<string, unknown> }

async function sendMail(run: Run, mailer: Mailer, { mailId, payload }: Data): Promise<void> {
  const mail = await findPendingMail(run, mailId)
  const letter = letters.find(({ template }) => template === mail?.template)
  if (!mail || !letter) return
  const values = await letter.values(run, { projectId: mail.projectId, recipient: mail.recipient, payload })
  if (values === null) return markFailed(run, mailId, 'It was no longer of use when its turn came.')
  if (!mailer.isConfigured) return noteError(run, mailId, 'No SMTP server is set.')
  // The same at every try, so that a receiver can tell a second copy.
  const messageId = `<${mail.eventId}@${new URL(run.env.PUBLIC_URL).hostname}>`
  try {
    await mailer.send({ ...renderMail(letter.template, values), to: mail.recipient, messageId })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof MailRefused) return markFailed(run, mailId, reason)
    await noteError(run, mailId, reason)
    throw error
  }
  await markSent(run, mailId, messageId)
}
