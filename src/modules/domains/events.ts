import { z } from 'zod'
import { defineEvent } from '../../event.ts'

const payload = z.object({ domainId: z.string(), name: z.string() })
const path = (p: { domainId: string }) => ['domains', p.domainId]

export const domainCreated = defineEvent({ name: 'domains.created', description: 'A domain was added.', payload, path })
export const domainVerified = defineEvent({
  name: 'domains.verified',
  description: 'A domain was found to point here and to be for this project; its certificate is asked for.',
  payload,
  path,
})
export const domainRevoked = defineEvent({
  name: 'domains.revoked',
  description: 'A domain leads to another project from here on, which it was found to be for in place of this one.',
  payload,
  path,
})
export const domainPointed = defineEvent({
  name: 'domains.pointed',
  description: 'A domain leads to a function from here on, or to the API again.',
  payload: payload.extend({ functionId: z.string().nullable() }),
  path,
})
export const domainIssued = defineEvent({
  name: 'domains.issued',
  description: 'A domain has a new certificate.',
  payload: payload.extend({ expiresAt: z.iso.datetime() }),
  path,
})
export const domainFailed = defineEvent({
  name: 'domains.failed',
  description: 'A certificate could not be had. It is tried again.',
  payload: payload.extend({ reason: z.string() }),
  path,
})
export const domainDeleted = defineEvent({
  name: 'domains.deleted',
  description: 'A domain was removed.',
  payload,
  path,
})
