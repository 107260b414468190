import { z } from 'zod'
import type { Execution } from '../../../prisma/client/client.ts'
import { defineEvent } from '../../event.ts'

const payload = z.object({
  functionId: z.string(),
  executionId: z.string(),
  /** The user who has asked for it, and may know of it: null where it was no user. */
  userId: z.string().nullable(),
})

type Cause = Pick<Execution, 'trigger' | 'actorKind' | 'actorId'>

/** What follows from what a user did, or decides on it, they have not asked for. */
export function userOf({ trigger, actorKind, actorId }: Cause): string | null {
  return actorKind === 'user' && (trigger === 'API' || trigger === 'HTTP') ? actorId : null
}

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
    status: z.enum(['PENDING', 'FAILED']),
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
