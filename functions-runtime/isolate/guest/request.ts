import { decodeText, encodeText, fromBase64 } from './bytes.ts'
import type { AbortSignal } from './events.ts'
import { web } from './globals.ts'
import { scope } from './scope.ts'

export type Asked = {
  method: string
  url: string
  headers: Record<string, string>
  /** Whether the body is text, or bytes in base64. */
  isText: boolean
}

let left: AbortSignal | undefined

/** Of the run: aborted when nobody waits for its answer any more. */
function signalOfLeaving(): AbortSignal {
  if (left) return left
  const controller = new (web().events().AbortController)()
  left = controller.signal
  scope().onLeave((reason) => {
    try {
      controller.abort(reason)
    } catch (error) {
      // What a listener throws nobody could catch.
      web().console().error(error)
    }
  })
  return left
}

/** The contract's `req`. */
export function createReq(asked: Asked, body: string) {
  const at = asked.url.indexOf('?')
  const search = at < 0 ? '' : asked.url.slice(at + 1)
  const bytes = () => (asked.isText ? encodeText(scope().call, body) : fromBase64(body))
  const text = () => {
    if (!asked.isText) return decodeText(scope().call, fromBase64(body))
    // A mark of the order of bytes is none of the text.
    return body.startsWith('\ufeff') ? body.slice(1) : body
  }
  return {
    method: asked.method,
    url: asked.url,
    path: at < 0 ? asked.url : asked.url.slice(0, at),
    headers: asked.headers,
    get query(): Record<string, string> {
      if (search === '') return {}
      return Object.fromEntries(new (web().url().URLSearchParams)(search))
    },
    get signal() {
      return signalOfLeaving()
    },
    text: async () => text(),
    json: async () => JSON.parse(text()),
    bytes: async () => bytes(),
    arrayBuffer: async () => bytes().buffer,
  }
}

/** The same as the web's own Request, for programs written for it. */
export function createRequest(asked: Asked, body: string) {
  const { Request } = web().http()
  const host = asked.headers.host ?? 'localhost'
  const hasBody = body !== '' && !/^(get|head)$/i.test(asked.method)
  const init = { method: asked.method, headers: asked.headers, signal: signalOfLeaving() }
  // As the caller sees it, for what makes addresses of it.
  const protocol = asked.headers['x-forwarded-proto'] === 'http' ? 'http' : 'https'
  const url = asked.url.startsWith('/') ? `${protocol}://${host}${asked.url}` : asked.url
  if (!hasBody) return new Request(url, init)
  return new Request(url, { ...init, body: asked.isText ? body : fromBase64(body) })
}
