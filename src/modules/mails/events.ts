import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ mailId: z.string(), template: z.string() })
const path = (p: { mailId: string }) => ['mails', p.mailId]

export const mailCreated = defineEvent({ name: 'mails.created', description: 'A mail was asked for.', payload, path })
export const mailFinished = defineEvent({
  name: 'mails.finished',
  description: 'A mail was taken by the mail server, refused for good, or given up.',
  payload: payload.extend({ status: z.enum(['SENT', 'FAILED']) }),
  path,
})
export const mailResent = defineEvent({
  name: 'mails.resent',
  description: 'A mail that had failed was asked for again.',
  payload,
  path,
})
