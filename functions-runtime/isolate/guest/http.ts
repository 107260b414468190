import { Body, madeOf, type Source } from './body.ts'
import { AbortController, AbortSignal } from './events.ts'
import { Headers } from './headers.ts'
import { URL } from './url.ts'

/** What `clone` gives besides: a body that is not looked at again. */
const kept = Symbol('kept')

type HeadersInit = ConstructorParameters<typeof Headers>[0]
type RequestInit = {
  method?: string
  headers?: HeadersInit
  body?: unknown
  signal?: AbortSignal | null
  redirect?: 'follow' | 'error' | 'manual'
  [kept]?: Source
}
type ResponseInit = { status?: number; statusText?: string; headers?: HeadersInit; [kept]?: Source }

// The web's own classes.
export class Request extends Body {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly redirect: 'follow' | 'error' | 'manual'
  constructor(input: string | URL | Request, given: RequestInit | null = {}) {
    const init = given ?? {}
    const from = input instanceof Request ? input : null
    const method = methodOf(init.method ?? from?.method ?? 'GET')
    const made =
      madeBy(init) ?? (from && init.body === undefined ? { source: from.take(), type: null } : madeOf(init.body))
    if (made.source !== null && /^(get|head)$/i.test(method)) throw new TypeError('GET and HEAD have no body.')
    super(made.source)
    this.method = method
    this.url = from ? from.url : addressOf(input as string)
    this.headers = new Headers(init.headers ?? from?.headers ?? {})
    if (made.type && !this.headers.has('content-type')) this.headers.set('content-type', made.type)
    this.signal = signalOf(init) ?? from?.signal ?? new AbortController().signal
    this.redirect = redirectOf(init) ?? from?.redirect ?? 'follow'
  }
  get [Symbol.toStringTag]() {
    return 'Request'
  }
  override contentType(): string {
    return this.headers.get('content-type') ?? ''
  }
  clone(): Request {
    return new Request(this, { [kept]: this.split() })
  }
}

function addressOf(input: string): string {
  const url = new URL(input)
  if (url.username || url.password)
    throw new TypeError('The address of a request must not hold a user name or password.')
  return url.href
}

function signalOf({ signal }: RequestInit): AbortSignal | null | undefined {
  if (signal && !(signal instanceof AbortSignal)) throw new TypeError('The signal of a request must be an AbortSignal.')
  return signal
}

function redirectOf({ redirect }: RequestInit): RequestInit['redirect'] {
  if (redirect === undefined || ['follow', 'error', 'manual'].includes(redirect)) return redirect
  throw new TypeError('The redirect of a request is follow, error or manual.')
}

function methodOf(given: unknown): string {
  const method = String(given)
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/i.test(method) || /^(connect|trace|track)$/i.test(method)) {
    throw new TypeError(`“${method.slice(0, 100)}” is no method of a request.`)
  }
  return /^(get|head|post|put|delete|options|patch)$/i.test(method) ? method.toUpperCase() : method
}

function madeBy({ [kept]: source }: { [kept]?: Source }): { source: Source; type: null } | null {
  return source === undefined ? null : { source, type: null }
}

const empty = new Set([101, 204, 205, 304])

export class Response extends Body {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  type = 'default'
  url = ''
  redirected = false
  constructor(body?: unknown, given: ResponseInit | null = {}) {
    const init = given ?? {}
    const status = Number(init.status ?? 200)
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new RangeError('The status must be 200 to 599.')
    const made = madeBy(init) ?? madeOf(body)
    if (made.source !== null && empty.has(status)) throw new TypeError(`An answer of status ${status} has no body.`)
    super(made.source)
    this.status = status
    this.statusText = String(init.statusText ?? '')
    this.headers = new Headers(init.headers ?? {})
    if (made.type && !this.headers.has('content-type')) this.headers.set('content-type', made.type)
  }
  get [Symbol.toStringTag]() {
    return 'Response'
  }
  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }
  override contentType(): string {
    return this.headers.get('content-type') ?? ''
  }
  clone(): Response {
    const { status, statusText, headers, type, url, redirected } = this
    const copy = new Response(null, { status, statusText, headers, [kept]: this.split() })
    return Object.assign(copy, { type, url, redirected })
  }
  static json(value: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers ?? {})
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError('The value has no JSON.')
    return new Response(text, { ...init, headers })
  }
  static redirect(url: string | URL, status = 302): Response {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError('The status is none of a redirect.')
    return new Response(null, { status, headers: { location: new URL(url).href } })
  }
  static error(): Response {
    return Object.assign(new Response(null), { type: 'error', status: 0 })
  }
}
