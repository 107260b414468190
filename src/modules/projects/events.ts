import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ projectId: z.string() })
const path = (p: { projectId: string }) => ['projects', p.projectId]

export const projectCreated = defineEvent({
  name: 'projects.created',
  description: 'A project was made.',
  payload,
  path,
})
export const projectUpdated = defineEvent({
  name: 'projects.updated',
  description: 'A project was changed.',
  payload,
  path,
})
export const projectDeleted = defineEvent({
  name: 'projects.deleted',
  description: 'A project was deleted, with all that is in it: there is no event for each of its things.',
  payload,
  path,
})

/** Stands in the stream of the console, which every API node follows. */
export const projectSchemaChanged = defineEvent({
  name: 'projects.schema-changed',
  description: "A project's own types changed.",
  payload: payload.extend({ revision: z.number().int() }),
  path,
})
