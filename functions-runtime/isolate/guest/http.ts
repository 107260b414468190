import { Body, madeOf } from './body.ts'
import { AbortController, type AbortSignal } from './events.ts'
import { Headers } from './headers.ts'
import { URL } from './url.ts'

type HeadersInit = ConstructorParameters<typeof Headers>[0]
type RequestInit = {
  method?: string
  headers?: HeadersInit
  body?: unknown
  signal?: AbortSignal | null
  redirect?: 'follow' | 'error' | 'manual'
}
type ResponseInit = { status?: number; statusText?: string; headers?: HeadersInit }

// The web's own classes.
export class Request extends Body {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly redirect: 'follow' | 'error' | 'manual'
  constructor(input: string | URL | Request, init: RequestInit = {}) {
    const from = input instanceof Request ? input : null
    const method = String(init.method ?? from?.method ?? 'GET')
    const made = init.body === undefined && from ? { source: from.split(), type: null } : madeOf(init.body)
    if (made.source !== null && /^(get|head)$/i.test(method)) throw new TypeError('GET and HEAD have no body.')
    super(made.source)
    this.method = /^(get|head|post|put|delete|options|patch)$/i.test(method) ? method.toUpperCase() : method
    this.url = from ? from.url : new URL(input as string).href
    this.headers = new Headers(init.headers ?? from?.headers ?? {})
    if (made.type && !this.headers.has('content-type')) this.headers.set('content-type', made.type)
    this.signal = init.signal ?? from?.signal ?? new AbortController().signal
    this.redirect = init.redirect ?? from?.redirect ?? 'follow'
  }
  override contentType(): string {
    return this.headers.get('content-type') ?? ''
  }
  clone(): Request {
    return new Request(this)
  }
}

const empty = new Set([101, 204, 205, 304])

export class Response extends Body {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly type = 'default'
  url = ''
  redirected = false
  constructor(body?: unknown, init: ResponseInit = {}) {
    const status = init.status ?? 200
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new RangeError('The status must be 200 to 599.')
    const made = madeOf(body)
    if (made.source !== null && empty.has(status)) throw new TypeError(`An answer of status ${status} has no body.`)
    super(made.source)
    this.status = status
    this.statusText = String(init.statusText ?? '')
    this.headers = new Headers(init.headers ?? {})
    if (made.type && !this.headers.has('content-type')) this.headers.set('content-type', made.type)
  }
  get ok(): boolean {
    return this.status < 300
  }
  override contentType(): string {
    return this.headers.get('content-type') ?? ''
  }
  clone(): Response {
    return new Response(this.split(), this)
  }
  static json(value: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers ?? {})
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    return new Response(JSON.stringify(value), { ...init, headers })
  }
  static redirect(url: string | URL, status = 302): Response {
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError('The status is none of a redirect.')
    return new Response(null, { status, headers: { location: new URL(url).href } })
  }
  static error(): never {
    throw new TypeError('An answer of an error cannot be made here.')
  }
}
