import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ functionId: z.string(), executionId: z.string() })
const path = (p: { functionId: string; executionId: string }) => [
  'functions',
  p.functionId,
  'executions',
  p.executionId,
]

export const executionCreated = defineEvent({
  name: 'executions.created',
  description: 'A function is to be run, and nobody waits for it.',
  payload: payload.extend({
    status: z.enum(['WAITING', 'FAILED']),
    /** Not before then. */
    scheduledAt: z.string().nullable(),
  }),
  path,
})
export const executionFinished = defineEvent({
  name: 'executions.finished',
  description: 'A function has run, or its run was cancelled.',
  payload: payload.extend({ status: z.enum(['COMPLETED', 'FAILED', 'CANCELLED']) }),
  path,
})
export const executionRetried = defineEvent({
  name: 'executions.retried',
  description: 'A try of a run that nobody waits for has come to nothing, and another is planned.',
  payload: payload.extend({
    /** How often it was tried. */
    attempts: z.number().int(),
    failure: z.string(),
    /** When it is tried next. */
    scheduledAt: z.string(),
  }),
  path,
})
