import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ functionId: z.string(), deploymentId: z.string() })
const path = (p: { functionId: string; deploymentId: string }) => [
  'functions',
  p.functionId,
  'deployments',
  p.deploymentId,
]
const status = z.enum(['UPLOADING', 'PENDING', 'BUILDING', 'READY', 'FAILED'])

export const deploymentCreated = defineEvent({
  name: 'deployments.created',
  description: 'Code of a function was uploaded, or is going to be.',
  payload: payload.extend({ status }),
  path,
})
export const deploymentUpdated = defineEvent({
  name: 'deployments.updated',
  description: 'A deployment is complete, is built, is ready, or has failed.',
  payload: payload.extend({ status }),
  path,
})
export const deploymentActivated = defineEvent({
  name: 'deployments.activated',
  description: 'A deployment is the one that is run from now on.',
  payload,
  path,
})
export const deploymentDeleted = defineEvent({
  name: 'deployments.deleted',
  description: 'A deployment was deleted.',
  payload,
  path,
})
