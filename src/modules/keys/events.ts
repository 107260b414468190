import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ keyId: z.string() })
const path = (p: { keyId: string }) => ['keys', p.keyId]

export const keyCreated = defineEvent({ name: 'keys.created', description: 'An API key was made.', payload, path })
export const keyDeleted = defineEvent({ name: 'keys.deleted', description: 'An API key was deleted.', payload, path })
