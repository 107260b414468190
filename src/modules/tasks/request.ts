import type { Env } from '../../env.ts'
import { Invalid } from '../../errors.ts'
import { decrypt, encrypt } from '../../lib/secrets.ts'
import { whyNotCallable } from '../../platform/egress.ts'

export type TaskHeader = { name: string; value: string }

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
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

export function requireMethod(method: string): string {
  const upper = method.toUpperCase()
  if (!methods.includes(upper))
    throw new Invalid(`The method must be one of ${methods.join(', ')}.`, ['input', 'method'])
  return upper
}

export function requireCallable(url: string): string {
  const wrong = whyNotCallable(url)
  if (wrong) throw new Invalid(wrong, ['input', 'url'])
  return url
}

/** Checks headers and makes of them what is stored: they may hold passwords. */
export function keepHeaders({ SECRET_KEYS }: Pick<Env, 'SECRET_KEYS'>, headers: readonly TaskHeader[]): string | null {
  if (headers.length > maxHeaders) throw new Invalid(`A call has at most ${maxHeaders} headers.`, ['input', 'headers'])
  for (const { name, value } of headers) {
    const isWrong = !token.test(name) || !text.test(value) || reserved.includes(name.toLowerCase())
    if (isWrong) throw new Invalid(`The header “${name.slice(0, 128)}” cannot be sent.`, ['input', 'headers'])
  }
  const kept = Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]))
  return headers.length === 0 ? null : encrypt(SECRET_KEYS, JSON.stringify(kept))
}

export function readHeaders({ SECRET_KEYS }: Pick<Env, 'SECRET_KEYS'>, kept: string | null): Record<string, string> {
  return kept === null ? {} : JSON.parse(decrypt(SECRET_KEYS, kept))
}
