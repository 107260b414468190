import { z } from 'zod'
import { defineEvent } from '../event.ts'

const image = z.record(z.string(), z.unknown())

const payload = z.object({
  databaseId: z.string(),
  collectionId: z.string(),
  collectionKey: z.string(),
  id: z.string(),
  /** The whole row as it was and as it is; null where there was or is none. Values as the API answers them. */
  before: image.nullable(),
  after: image.nullable(),
  /** Fields whose values differ, `permissions` for the document's own. */
  changed: z.array(z.string()),
})

export type DocumentPayload = z.output<typeof payload>

const path = ({ databaseId, collectionKey, id }: DocumentPayload) => [
  'databases',
  databaseId,
  'collections',
  collectionKey,
  'documents',
  id,
]

export const documentCreated = defineEvent({
  name: 'documents.created',
  description: 'A document was created.',
  payload,
  path,
})

export const documentUpdated = defineEvent({
  name: 'documents.updated',
  description: 'A document was changed.',
  payload,
  path,
})

export const documentDeleted = defineEvent({
  name: 'documents.deleted',
  description: 'A document was deleted.',
  payload,
  path,
})
