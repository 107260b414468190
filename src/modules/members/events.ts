import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ memberId: z.string(), projectId: z.string(), userId: z.string() })
const path = (p: { memberId: string }) => ['members', p.memberId]

export const memberCreated = defineEvent({
  name: 'members.created',
  description: 'An account joined a project.',
  payload,
  path,
})
export const memberUpdated = defineEvent({
  name: 'members.updated',
  description: 'An account was given another role in a project.',
  payload,
  path,
})
export const memberDeleted = defineEvent({
  name: 'members.deleted',
  description: 'An account left a project.',
  payload,
  path,
})
