/** What calls to addresses that users give carry besides: headers and a login. Both may be secrets: they are kept encrypted. */
import type { Env } from '../../env.ts'
import { Invalid } from '../../errors.ts'
import { decrypt, encrypt } from '../../lib/secrets.ts'

type Keys = Pick<Env, 'SECRET_KEYS'>

export type Header = { name: string; value: string }
export type BasicAuth = { username: string; password: string }

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const text = /^[\t\x20-\x7e]{0,4096}$/
/** What HTTP itself sets: given by a user it could end one request and begin another. */
const reserved = [
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
const maxHeaders = 32

/** Checks headers and makes of them what is stored. `ours` are those that the call itself sets. */
export function keepHeaders(
  { SECRET_KEYS }: Keys,
  headers: readonly Header[],
  ours: readonly string[] = [],
): string | null {
  if (headers.length > maxHeaders) throw new Invalid(`A call has at most ${maxHeaders} headers.`, ['input', 'headers'])
  for (const [i, { name, value }] of headers.entries()) {
    const isName = token.test(name) && ![...reserved, ...ours].includes(name.toLowerCase())
    if (isName && text.test(value)) continue
    const at = ['input', 'headers', `${i}`, isName ? 'value' : 'name']
    throw new Invalid(`The header “${name.slice(0, 128)}” cannot be sent.`, at)
  }
  const kept = Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]))
  return headers.length === 0 ? null : encrypt(SECRET_KEYS, JSON.stringify(kept))
}

export function readHeaders({ SECRET_KEYS }: Keys, kept: string | null): Record<string, string> {
  return kept === null ? {} : JSON.parse(decrypt(SECRET_KEYS, kept))
}

/** Checks a login (RFC 7617) and makes of it what is stored. */
export function keepBasicAuth({ SECRET_KEYS }: Keys, login: BasicAuth | null): string | null {
  if (login === null) return null
  const { username, password } = login
  // The first colon is where the name ends.
  if (!/^[^\p{Cc}:]{1,256}$/u.test(username))
    throw new Invalid('A user name has 1 to 256 characters, and no colon.', ['input', 'basicAuth', 'username'])
  if (!/^[^\p{Cc}]{0,1024}$/u.test(password))
    throw new Invalid('A password has at most 1,024 characters.', ['input', 'basicAuth', 'password'])
  return encrypt(SECRET_KEYS, JSON.stringify({ username, password }))
}

export function readBasicAuth({ SECRET_KEYS }: Keys, kept: string | null): BasicAuth | null {
  return kept === null ? null : JSON.parse(decrypt(SECRET_KEYS, kept))
}

type Kept = { url: string; headers: string | null; basicAuth: string | null }
type Changes = {
  url?: string | null | undefined
  headers?: readonly Header[] | null | undefined
  basicAuth?: BasicAuth | null | undefined
}

/** What was given for one server is sent to no other: whoever changes the address is not told what it is. */
export function requireSameServer(before: Kept, { url, headers, basicAuth }: Changes): void {
  if (url == null || new URL(url).origin === new URL(before.url).origin) return
  const stays = [
    ...(before.headers !== null && headers == null ? ['headers'] : []),
    ...(before.basicAuth !== null && basicAuth === undefined ? ['basicAuth'] : []),
  ]
  const [first] = stays
  if (first) throw new Invalid('This was given for another server: give it again, or none.', ['input', first])
}

/** The header that says who calls; none for a call without a login. */
export function authorizationOf(login: BasicAuth | null): Record<string, string> {
  if (login === null) return {}
  return { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` }
}
