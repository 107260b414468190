import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ webhookId: z.string(), deliveryId: z.string() })
const path = (p: { webhookId: string; deliveryId: string }) => ['webhooks', p.webhookId, 'deliveries', p.deliveryId]

export const deliveryFinished = defineEvent({
  name: 'deliveries.finished',
  description: 'A delivery to a webhook was taken, or given up.',
  payload: payload.extend({ status: z.enum(['SUCCEEDED', 'FAILED']) }),
  path,
})
export const deliveryReplayed = defineEvent({
  name: 'deliveries.replayed',
  description: 'A delivery to a webhook was asked for again.',
  payload: payload.extend({ attempts: z.number().int() }),
  path,
})
