import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({
  databaseId: z.string(),
  collectionId: z.string(),
  collectionKey: z.string(),
  indexId: z.string(),
  key: z.string(),
})
const path = (p: { databaseId: string; collectionKey: string; key: string }) => [
  'databases',
  p.databaseId,
  'collections',
  p.collectionKey,
  'indexes',
  p.key,
]
const change = payload.extend({ status: z.enum(['PROCESSING', 'AVAILABLE', 'CHANGING', 'FAILED', 'DELETING']) })

export const indexCreated = defineEvent({
  name: 'indexes.created',
  description: 'An index was asked for. `indexes.updated` says when it is there.',
  payload: change,
  path,
})
export const indexUpdated = defineEvent({
  name: 'indexes.updated',
  description: 'An index became available, failed, or is being deleted.',
  payload: change,
  path,
})
export const indexDeleted = defineEvent({
  name: 'indexes.deleted',
  description: 'An index is gone.',
  payload,
  path,
})
