import { Invalid } from '../../errors.ts'

/** A request as a function gets it. */
export type FunctionRequest = {
  method: string
  /** Path and query. */
  url: string
  headers: Readonly<Record<string, string>>
  body: Buffer
}

/** What an API call says of a request. */
export type GivenRequest = {
  method?: string | null | undefined
  path?: string | null | undefined
  headers?: readonly { name: string; value: string }[] | null | undefined
  body?: string | null | undefined
}

export const requestLimits = { urlCharacters: 2_048, headers: 64, headerCharacters: 8_192, bodyBytes: 512 * 1024 }

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const printable = /^[\t\x20-\x7e\x80-\xff]*$/
/** What we say of a run: nobody else says it. */
const ours = /^tendril-/i

export function readRequest(given: GivenRequest): FunctionRequest {
  const method = (given.method ?? 'POST').toUpperCase()
  if (!methods.includes(method)) throw new Invalid(`The method is one of ${methods.join(', ')}.`, ['input', 'method'])
  const url = given.path ?? '/'
  if (!url.startsWith('/') || url.length > requestLimits.urlCharacters || !/^[\x21-\x7e]+$/.test(url))
    throw new Invalid('A path begins with / and has up to 2,048 characters that URLs may have.', ['input', 'path'])
  const body = Buffer.from(given.body ?? '')
  if (body.length > requestLimits.bodyBytes) throw new Invalid('A body has up to 512 KiB.', ['input', 'body'])
  return { method, url, headers: readHeaders(given.headers ?? []), body }
}

function readHeaders(given: NonNullable<GivenRequest['headers']>): Record<string, string> {
  if (given.length > requestLimits.headers) throw new Invalid('There are at most 64 headers.', ['input', 'headers'])
  const size = given.reduce((sum, { name, value }) => sum + name.length + value.length, 0)
  if (size > requestLimits.headerCharacters)
    throw new Invalid('All headers together have up to 8,192 characters.', ['input', 'headers'])
  const headers: Record<string, string> = {}
  for (const [i, { name, value }] of given.entries()) {
    if (!token.test(name) || ours.test(name) || name === '__proto__')
      throw new Invalid('This is no name of a header, or one of ours.', ['input', 'headers', `${i}`, 'name'])
    if (!printable.test(value))
      throw new Invalid('This is no value of a header.', ['input', 'headers', `${i}`, 'value'])
    headers[name.toLowerCase()] = value
  }
  return headers
}

const secrets = new Set(['authorization', 'cookie', 'x-api-key', 'x-csrf-token'])

/** What is kept of a request that is not sent again. */
export function withoutSecrets(headers: FunctionRequest['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secrets.has(name) ? '…' : value]))
}
