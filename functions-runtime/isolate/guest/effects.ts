import { fromBase64, toBase64 } from './bytes.ts'
import type { AbortSignal } from './events.ts'
import { Request, Response } from './http.ts'
import { scope } from './scope.ts'
import type { URL } from './url.ts'

type Fetched = { status: number; statusText: string; url: string; isRedirected: boolean; headers: [string, string][] }

function cancelled<T>(
  { answer, cancel }: { answer: Promise<T>; cancel: (reason: unknown) => void },
  signal?: AbortSignal,
) {
  const give = () => cancel(signal?.reason)
  signal?.addEventListener('abort', give, { once: true })
  return answer.finally(() => signal?.removeEventListener('abort', give))
}

/**
 * The web knows one kind of error for what could not be reached. Packages that try again know it by its message, which here is
 * Node's; what may never be reached is told as it is.
 */
function failed(error: Error): Error {
  if (/^(EgressFailed|Unavailable)/.test(error?.name)) return new TypeError('fetch failed', { cause: error })
  return /^Egress/.test(error?.name) ? new TypeError(error.message, { cause: error }) : error
}

/** The web's `fetch`, done by the broker: public addresses only, but for what the operator allows. */
export async function fetch(
  input: string | URL | Request,
  init?: ConstructorParameters<typeof Request>[1],
): Promise<Response> {
  const request = new Request(input, init)
  request.signal.throwIfAborted()
  const bytes = toBase64(await request.bytes())
  // It may be given up while its body is read.
  request.signal.throwIfAborted()
  const { method, url, redirect } = request
  const headers = [...request.headers]
  // Many servers refuse who says neither.
  if (!request.headers.has('accept')) headers.push(['accept', '*/*'])
  if (!request.headers.has('user-agent')) headers.push(['user-agent', 'Tendril'])
  const asked = scope().ask('fetch', { method, url, redirect, headers }, bytes)
  const answer = await cancelled(asked, request.signal).catch((error) => {
    throw failed(error)
  })
  const head = answer.head as Fetched
  const body = [101, 204, 205, 304].includes(head.status) ? null : fromBase64(answer.bytes)
  const response = new Response(body, head)
  response.type = 'basic'
  response.url = head.url
  response.redirected = head.isRedirected
  return response
}

/** What the API has answered with `errors`. */
export class GraphqlError extends Error {
  readonly errors: readonly { message: string; path?: unknown; extensions?: { code?: string } }[]
  readonly data: unknown
  constructor(errors: GraphqlError['errors'], data: unknown) {
    super(errors.map(({ message }) => message).join('\n'))
    this.name = 'GraphqlError'
    this.errors = errors
    this.data = data
  }
}

/** Asks the project's own GraphQL API, as whom the function runs. Answers `data`; throws a GraphqlError on errors. */
export async function graphql(query: unknown, variables: object = {}): Promise<unknown> {
  // Documents of code generators are strings, objects with a toString, or parsed documents with their text in `loc`.
  const text = (query as { loc?: { source?: { body?: string } } })?.loc?.source?.body ?? String(query)
  const { head } = await scope().ask('graphql', { query: text, variables }).answer
  const { data, errors } = head as { data?: unknown; errors?: GraphqlError['errors'] }
  if (errors && errors.length > 0) throw new GraphqlError(errors, data)
  return data
}
