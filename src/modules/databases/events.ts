import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ databaseId: z.string(), key: z.string() })
const path = (p: { databaseId: string }) => ['databases', p.databaseId]

export const databaseCreated = defineEvent({
  name: 'databases.created',
  description: 'A database was made.',
  payload,
  path,
})
export const databaseUpdated = defineEvent({
  name: 'databases.updated',
  description: 'A database was given another name.',
  payload,
  path,
})
export const databaseDeleted = defineEvent({
  name: 'databases.deleted',
  description: 'A database was deleted, with its collections and their documents.',
  payload,
  path,
})
