import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ databaseId: z.string(), collectionId: z.string(), key: z.string() })
const path = (p: { databaseId: string; key: string }) => ['databases', p.databaseId, 'collections', p.key]
const change = payload.extend({ status: z.enum(['PROCESSING', 'AVAILABLE', 'CHANGING', 'FAILED', 'DELETING']) })

export const collectionCreated = defineEvent({
  name: 'collections.created',
  description: 'A collection was asked for. `collections.updated` says when it is there.',
  payload: change,
  path,
})
export const collectionUpdated = defineEvent({
  name: 'collections.updated',
  description:
    'A collection became available, failed, or its names, description, permissions, rules or cache were changed.',
  payload: change,
  path,
})
export const collectionDeleted = defineEvent({
  name: 'collections.deleted',
  description: 'A collection is gone, with its documents: there is no event for each of them.',
  payload,
  path,
})
