import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ userId: z.string() })
const path = (p: { userId: string }) => ['users', p.userId]

export const userCreated = defineEvent({
  name: 'users.created',
  description: 'Somebody signed up or was added.',
  payload,
  path,
})
export const userUpdated = defineEvent({
  name: 'users.updated',
  description: 'A user was changed, blocked or verified.',
  payload,
  path,
})
export const userDeleted = defineEvent({ name: 'users.deleted', description: 'A user was deleted.', payload, path })
