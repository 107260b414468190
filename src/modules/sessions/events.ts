import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ sessionId: z.string(), userId: z.string() })
const path = (p: { sessionId: string; userId: string }) => ['users', p.userId, 'sessions', p.sessionId]

export const sessionCreated = defineEvent({ name: 'sessions.created', description: 'A user signed in.', payload, path })
export const sessionDeleted = defineEvent({
  name: 'sessions.deleted',
  description: 'A session was ended.',
  payload,
  path,
})
