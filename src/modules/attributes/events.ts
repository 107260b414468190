import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({
  databaseId: z.string(),
  collectionId: z.string(),
  collectionKey: z.string(),
  attributeId: z.string(),
  key: z.string(),
})
const path = (p: { databaseId: string; collectionKey: string; key: string }) => [
  'databases',
  p.databaseId,
  'collections',
  p.collectionKey,
  'attributes',
  p.key,
]
const change = payload.extend({ status: z.enum(['PROCESSING', 'AVAILABLE', 'CHANGING', 'FAILED', 'DELETING']) })

export const attributeCreated = defineEvent({
  name: 'attributes.created',
  description: 'An attribute was asked for. `attributes.updated` says when it is there.',
  payload: change,
  path,
})
export const attributeUpdated = defineEvent({
  name: 'attributes.updated',
  description: 'An attribute became available, failed, was changed, is being changed or deleted.',
  payload: change,
  path,
})
export const attributeDeleted = defineEvent({
  name: 'attributes.deleted',
  description: 'An attribute is gone, with its values.',
  payload,
  path,
})
