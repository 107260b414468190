import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ verificationId: z.string(), userId: z.string() })

export const verificationCreated = defineEvent({
  name: 'verifications.created',
  description: 'A user asked for a mail that proves their address.',
  payload,
  path: (p) => ['users', p.userId, 'verifications', p.verificationId],
})
