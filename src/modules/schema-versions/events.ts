import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ name: z.string() })
const path = (p: { name: string }) => ['versions', p.name]

export const versionCreated = defineEvent({
  name: 'versions.created',
  description: 'A migration of the schema was begun.',
  payload,
  path,
})
export const versionUpdated = defineEvent({
  name: 'versions.updated',
  description: 'A migration of the schema was applied, or is being rolled back.',
  payload,
  path,
})
export const versionDeleted = defineEvent({
  name: 'versions.deleted',
  description: 'A migration of the schema was rolled back.',
  payload,
  path,
})
