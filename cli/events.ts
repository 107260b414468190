import { type Api, explain, headersOf, urlOf } from './api.ts'
import { Failure } from './failure.ts'

type Refusal = { message: string; extensions?: { code?: string; retryAfterMs?: number } }
type Payload<Data> = { data?: Data | null; errors?: Refusal[] }

/**
 * The payloads of one subscription, as a stream of events, up to its end or until it breaks: then it can be begun again, and
 * is refused if something is wrong. Throws what the server refuses; `onOpen` is called once nothing can be missed any more.
 */
export async function* subscribe<Data>(
  { target }: Api,
  query: string,
  variables: object,
  onOpen: () => void = () => {},
): AsyncGenerator<Data> {
  const headers = { ...headersOf(target), accept: 'text/event-stream', 'content-type': 'application/json' }
  const body = JSON.stringify({ query, variables })
  const response = await fetch(urlOf(target, 'graphql'), { method: 'POST', headers, body }).catch(() => null)
  if (!response) return
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const { errors: [refusal] = [] }: Payload<Data> = await response.json().catch(() => ({}))
    const { code, retryAfterMs } = refusal?.extensions ?? {}
    if ([502, 503, 504].includes(response.status) || code === 'UNAVAILABLE' || retryAfterMs !== undefined) return
    throw refusal ? explain(target, refusal) : new Failure(`The subscription was refused: HTTP ${response.status}.`)
  }
  onOpen()
  for await (const text of eventsOf(response)) {
    const { data, errors }: Payload<Data> = JSON.parse(text)
    if (errors) return
    if (data) yield data
  }
}

/** What events carry. A connection that breaks is an end. */
async function* eventsOf({ body }: Response): AsyncGenerator<string> {
  let text = ''
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const lines = event.split('\n').filter((line) => line.startsWith('data:'))
        const carried = lines.map((line) => line.slice(5).trim()).join('\n')
        if (carried !== '') yield carried
      }
    }
  } catch {
    // Whoever reads it goes on where it was.
  }
}
