import { z } from 'zod'
import { defineEvent } from '../../event.ts'

export const deliveryReplayed = defineEvent({
  name: 'deliveries.replayed',
  description: 'A delivery to a webhook was asked for again.',
  payload: z.object({ webhookId: z.string(), deliveryId: z.string(), attempts: z.number().int() }),
  path: (p) => ['webhooks', p.webhookId, 'deliveries', p.deliveryId],
})
