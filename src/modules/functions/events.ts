import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ functionId: z.string() })
const path = (p: { functionId: string }) => ['functions', p.functionId]

export const functionCreated = defineEvent({
  name: 'functions.created',
  description: 'A function was made.',
  payload,
  path,
})
export const functionUpdated = defineEvent({
  name: 'functions.updated',
  description: 'A function was changed, or another deployment of it is run.',
  payload,
  path,
})
export const functionDeleted = defineEvent({
  name: 'functions.deleted',
  description: 'A function was deleted.',
  payload,
  path,
})
