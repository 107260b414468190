import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Env } from '../env.ts'
import { Refusal } from './refusal.ts'

/** Whether a page of this origin may use the API: it is PUBLIC_URL's, or listed. */
export type AllowsOrigin = (origin: string) => boolean

export function allowsOrigin(env: Pick<Env, 'ALLOWED_ORIGINS' | 'PUBLIC_URL'>): AllowsOrigin {
  const allowed = new Set([env.PUBLIC_URL, ...env.ALLOWED_ORIGINS].map(originOf))
  return (origin) => allowed.has(origin)
}

/** CORS: an origin that is allowed is told so, by name. Any other gets no header, and its browser keeps the answer from it. */
export function tellOrigin(req: IncomingMessage, res: ServerResponse, allows: AllowsOrigin): void {
  const { origin } = req.headers
  if (!origin || !allows(origin)) return
  res.setHeader('access-control-allow-origin', origin)
  res.setHeader('access-control-allow-credentials', 'true')
  res.setHeader('access-control-expose-headers', 'x-request-id')
  if (req.method !== 'OPTIONS') return
  res.setHeader('access-control-allow-methods', 'GET, POST')
  res.setHeader(
    'access-control-allow-headers',
    'authorization, content-type, last-event-id, x-request-id, x-tendril-csrf',
  )
  res.setHeader('access-control-max-age', '600')
}

/**
 * CSRF: what a foreign page can send without asking first, forms and plain text, is refused unless a header shows that it
 * did ask. JSON always makes a browser ask. A body without a type is one that browsers send unasked, too.
 */
export function refuseForged(req: IncomingMessage): void {
  const [type, ...parameters] = (req.headers['content-type'] ?? '').toLowerCase().split(';')
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith('charset='))
  if (type?.trim() === 'application/json' && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))) return
  const simple = ['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'].includes(
    type?.trim() ?? '',
  )
  if (simple && req.headers['x-tendril-csrf'] === undefined) {
    throw new Refusal(403, 'FORBIDDEN', 'Send application/json, or this type together with the header x-tendril-csrf.')
  }
  throw new Refusal(415, 'INVALID', 'The body must be application/json in UTF-8.')
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}
