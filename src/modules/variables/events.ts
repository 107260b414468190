import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({
  variableId: z.string(),
  key: z.string(),
  /** Of one function, or of all: then the project's id is told. */
  functionId: z.string().nullable(),
  projectId: z.string().nullable(),
})
const path = (p: { variableId: string }) => ['variables', p.variableId]

export const variableCreated = defineEvent({
  name: 'variables.created',
  description: 'A variable was set for the first time.',
  payload,
  path,
})
export const variableUpdated = defineEvent({
  name: 'variables.updated',
  description: 'A variable was given another value.',
  payload,
  path,
})
export const variableDeleted = defineEvent({
  name: 'variables.deleted',
  description: 'A variable was deleted.',
  payload,
  path,
})
