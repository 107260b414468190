import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ taskId: z.string() })
const path = (p: { taskId: string }) => ['tasks', p.taskId]

export const taskCreated = defineEvent({ name: 'tasks.created', description: 'A task was made.', payload, path })
export const taskUpdated = defineEvent({ name: 'tasks.updated', description: 'A task was changed.', payload, path })
export const taskDeleted = defineEvent({ name: 'tasks.deleted', description: 'A task was deleted.', payload, path })

const runPayload = payload.extend({ runId: z.string() })
const runPath = (p: { taskId: string; runId: string }) => ['tasks', p.taskId, 'runs', p.runId]

export const runCreated = defineEvent({
  name: 'runs.created',
  description: 'A task is due, by its schedule or by hand.',
  payload: runPayload,
  path: runPath,
})
export const runFinished = defineEvent({
  name: 'runs.finished',
  description: 'A task has run, or its run was cancelled.',
  payload: runPayload.extend({ status: z.enum(['SUCCEEDED', 'FAILED', 'CANCELLED']) }),
  path: runPath,
})
