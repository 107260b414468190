import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ senderId: z.string() })
const path = (p: { senderId: string }) => ['senders', p.senderId]

export const senderUpdated = defineEvent({
  name: 'senders.updated',
  description: "A project's own sender and SMTP server were set.",
  payload,
  path,
})
export const senderDeleted = defineEvent({
  name: 'senders.deleted',
  description: "A project's own sender was removed.",
  payload,
  path,
})
export const senderTested = defineEvent({
  name: 'senders.tested',
  description: 'A mail was asked for that shows whether the sender works.',
  payload: payload.extend({ accountId: z.string() }),
  path,
})
export const senderRefused = defineEvent({
  name: 'senders.refused',
  description: "A project's own SMTP server refuses the login.",
  payload: payload.extend({ reason: z.string() }),
  path,
})
