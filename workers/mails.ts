import type { Prisma } from '../prisma/client/client.ts'
import type { Services } from '../src/context.ts'
import { type LoggedEvent, matchesEvent } from '../src/logged-event.ts'
import { renderMail } from '../src/mails/render.ts'
import { sendMailJob } from '../src/modules/mails/jobs.ts'
import { claimMail, createMail, markFailed, markSent, releaseMail } from '../src/modules/mails/mails.ts'
import { findServer, reportRefusal } from '../src/modules/senders/senders.ts'
import { type Mailer, MailLoginRefused, MailRefused } from '../src/platform/mail.ts'
import { type Again, implement, type Owed, onEvent, type Reaction, type Run, type Worker } from './implement.ts'
import { type Letter, letters } from './mails/letters.ts'

/** A mail, and a job for it, for each event that one of the letters answers. */
const writeMails: Reaction = async (services, events) => {
  const owed: Owed[] = []
  for (const event of events) {
    const letter = letters.find(({ on }) => matchesEvent(on, event))
    const mailId = letter && (await recordMail(services, letter, event))
    if (mailId) owed.push({ job: sendMailJob, key: mailId, data: { mailId }, projectId: event.projectId })
  }
  return owed
}

async function recordMail(services: Services, letter: Letter, event: LoggedEvent): Promise<string | null> {
  const recipient = await letter.recipient(services, event)
  if (recipient === null) return null
  const { id: eventId, projectId } = event
  const payload = event.payload as Prisma.InputJsonObject
  return (await createMail(services, { projectId, eventId, template: letter.template, recipient, payload })).id
}

/** Sends mails: one for each event that asks for one, to the one address that is stored. */
export const mails: Worker = {
  name: 'mails',
  jobs: [],
  outgoing: ({ mailer }) => [
    implement(
      sendMailJob,
      (run, { mailId }) => sendMail(run, mailer, mailId),
      (services, { mailId }, reason) => markFailed(services, mailId, reason),
    ),
  ],
  reactions: [
    writeMails,
    onEvent(['mails.resent'], sendMailJob, {
      key: ({ id, payload }) => `${mailIdOf(payload)}.${id}`,
      data: ({ payload }) => ({ mailId: mailIdOf(payload) }),
    }),
  ],
  // Where there is no mail server for them they wait, recorded, until there is one.
  owed: async ({ sql, clock, env }) => {
    const { rows } = await sql.query<{ mailId: string; projectId: string }>(
      `select id as "mailId", "projectId" from mails m where status = 'PENDING' and "createdAt" < $1
         and ($2 or exists (select from senders s where s."projectId" = m."projectId"))
       order by "createdAt" limit 1000`,
      [new Date(clock().getTime() - 60_000), env.SMTP_URL !== undefined],
    )
    return rows.map(({ mailId, projectId }) => ({ job: sendMailJob, key: mailId, data: { mailId }, projectId }))
  },
}

const mailIdOf = (payload: unknown) => (payload as { mailId: string }).mailId

/**
 * One mail for each event, however often this runs: its row decides. A worker that dies between the server's reply and
 * that row sends a second copy, under the same Message-ID.
 */
async function sendMail(run: Run, mailer: Mailer, mailId: string): Promise<Again | undefined> {
  const turn = await claimMail(run, mailId)
  if (turn.kind === 'done') return undefined
  if (turn.kind === 'wait') return { again: turn.until }
  run.meter.count(turn.mail.projectId, 'jobs.run')
  const { template, projectId, recipient, eventId, payload } = turn.mail
  const letter = letters.find((each) => each.template === template)
  const values = await letter?.values(run, { projectId, recipient, payload: payload as Record<string, unknown> })
  if (!letter || !values) return void (await markFailed(run, mailId, 'It was no longer of use when its turn came.'))
  const server = letter.from === 'project' ? await findServer(run, projectId) : null
  if (!server && !mailer.isConfigured) return void (await releaseMail(run, mailId, 'No SMTP server is set.'))
  const messageId = `<${eventId}@${new URL(run.env.PUBLIC_URL).hostname}>`
  try {
    await mailer.send({ ...renderMail(letter.template, values), to: recipient, messageId }, server, run.signal)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof MailRefused) return void (await markFailed(run, mailId, reason))
    await releaseMail(run, mailId, reason)
    if (server && error instanceof MailLoginRefused) await reportRefusal(run, projectId, reason)
    throw error
  }
  await markSent(run, mailId, messageId)
}
