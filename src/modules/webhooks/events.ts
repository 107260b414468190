import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ webhookId: z.string() })
const path = (p: { webhookId: string }) => ['webhooks', p.webhookId]

export const webhookCreated = defineEvent({
  name: 'webhooks.created',
  description: 'A webhook was made.',
  payload,
  path,
})
export const webhookUpdated = defineEvent({
  name: 'webhooks.updated',
  description: 'A webhook was changed, or its secret.',
  payload,
  path,
})
export const webhookDeleted = defineEvent({
  name: 'webhooks.deleted',
  description: 'A webhook was deleted.',
  payload,
  path,
})
export const webhookPinged = defineEvent({
  name: 'webhooks.pinged',
  description: 'A webhook was asked whether its receiver is there. Only that one is told.',
  payload,
  path,
})
export const webhookDisabled = defineEvent({
  name: 'webhooks.disabled',
  description: 'A webhook was disabled because its receiver failed.',
  payload: payload.extend({ reason: z.string() }),
  path,
})
