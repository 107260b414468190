/** What HTTP says about redirects, and about headers that are none of the caller's. */
type Hop = {
  method: string
  url: string
  headers: readonly (readonly [name: string, value: string])[]
  body: Buffer
}

/** What belongs to one connection, or says whom it reaches: that is for the connection to say. */
const ofConnection = new Set(
  'host connection keep-alive content-length transfer-encoding upgrade expect te trailer accept-encoding'.split(' '),
)
const secrets = new Set(['authorization', 'cookie', 'proxy-authorization'])
const statuses = new Set([301, 302, 303, 307, 308])

export function withoutConnectionHeaders(headers: Hop['headers']): Hop['headers'] {
  return headers.filter(([name]) => !ofConnection.has(name.toLowerCase()))
}

/** Where an answer sends its caller; null when it does not. */
export function redirectOf(status: number, headers: Hop['headers']): string | null {
  return (statuses.has(status) && headers.find(([name]) => name === 'location')?.[1]) || null
}

/** The call that follows a redirect, without secrets for those whom they were not meant for; null where it leads nowhere. */
export function redirected<Call extends Hop>(call: Call, status: number, location: string): Call | null {
  const next = URL.parse(location, call.url)
  if (!next) return null
  const isElsewhere = next.origin !== new URL(call.url).origin
  const becomesGet = status === 303 ? call.method !== 'HEAD' : status < 303 && call.method === 'POST'
  const headers = call.headers.filter(([name]) => {
    const key = name.toLowerCase()
    return !(isElsewhere && secrets.has(key)) && !(becomesGet && key.startsWith('content-'))
  })
  return { ...call, url: next.href, headers, ...(becomesGet && { method: 'GET', body: Buffer.alloc(0) }) }
}
