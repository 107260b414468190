import type { IncomingMessage, ServerResponse } from 'node:http'

type Headers = Readonly<Record<string, string>>

/** What is about one connection, and what Node says itself. */
const hop = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What is said of a run by us alone, and where a request came from, which is told anew. */
const ours = /^(tendril-|x-forwarded-|x-real-ip$|forwarded$|x-request-id$)/

/** A credential of ours decides who calls. The function is not handed it: it may do less than whoever calls. */
export function isOurs(authorization: string | undefined): boolean {
  return /^Bearer +(key|ses|run)_/i.test(authorization ?? '')
}

export type From = { requestId: string; ip: string; protocol: string }

/** The headers of a request, as a function gets them. */
export function passedHeaders({ headers }: IncomingMessage, { requestId, ip, protocol }: From): Record<string, string> {
  const named = namedByConnection(headers.connection)
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hop.has(name) || named.has(name) || ours.test(name) || name === '__proto__') continue
    if (name === 'authorization' && isOurs(headers.authorization)) continue
    passed[name] = Array.isArray(value) ? value.join(', ') : value
  }
  const host = headers.host === undefined ? {} : { 'x-forwarded-host': headers.host }
  return { ...passed, ...host, 'x-forwarded-for': ip, 'x-forwarded-proto': protocol, 'x-request-id': requestId }
}

/** Headers that are named in `Connection` go no further. */
function namedByConnection(connection: string | undefined): Set<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
}

/** What an answer could say of all that our origin serves, which is not the function's alone. */
const ofOrigin = new Set([
  'alt-svc',
  'clear-site-data',
  'nel',
  'origin-agent-cluster',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'strict-transport-security',
])

/**
 * A page that comes from our origin is none of ours: its scripts run apart from everything that the origin has in a
 * browser, and it is framed by nobody unless it says otherwise.
 */
const sandbox = 'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts'

/** Where an answer goes to. `path`: where the function stands on our own origin; null on a domain of its own. */
export type Place = { requestId: string; executionId: string | null; path: string | null }

/** Sets the headers of a function's answer. Throws where one of them is none. */
export function writeHeaders(res: ServerResponse, headers: Headers, { requestId, executionId, path }: Place): void {
  const hasOwnCors = Object.keys(headers).some((name) => name.toLowerCase() === 'access-control-allow-origin')
  for (const name of res.getHeaderNames()) {
    if (name !== 'connection' && (hasOwnCors || !isCors(name))) res.removeHeader(name)
  }
  const named = namedByConnection(headers.connection)
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase()
    if (hop.has(name) || named.has(name) || ours.test(name) || (path !== null && ofOrigin.has(name))) continue
    if (name !== 'set-cookie') res.setHeader(name, value)
    else res.setHeader(name, path === null ? cookiesOf(value) : cookiesOf(value).map((one) => narrowCookie(one, path)))
  }
  res.setHeader('x-request-id', requestId)
  if (executionId !== null) res.setHeader('tendril-execution-id', executionId)
  setDefault(res, 'cache-control', 'no-store')
  if (path === null) return
  res.setHeader('x-content-type-options', 'nosniff')
  setDefault(res, 'referrer-policy', 'no-referrer')
  setDefault(res, 'x-frame-options', 'DENY')
  // Of several policies each one holds.
  const own = headers['content-security-policy']
  res.setHeader('content-security-policy', own === undefined ? sandbox : [sandbox, own])
}

/** What pages of other origins may see is for the function to say; if it says nothing, it is as for the API. */
function isCors(name: string): boolean {
  return name === 'vary' || name.startsWith('access-control-')
}

function setDefault(res: ServerResponse, name: string, value: string): void {
  if (!res.hasHeader(name)) res.setHeader(name, value)
}

/** Several cookies come as lines. */
function cookiesOf(value: string): string[] {
  return value.split('\n').filter((one) => one !== '')
}

/** A cookie on our origin is for its own function: browsers send it to no other. */
function narrowCookie(cookie: string, path: string): string {
  const parts = cookie.split(';').filter((part) => !/^\s*(domain|path)\s*(=|$)/i.test(part))
  return `${parts.join(';')}; Path=${path}`
}
