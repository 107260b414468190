import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { type Endpoint, type GraphQLFailure, headersOf, RequestFailed } from './request.ts'

export type Change<Node> = {
  cursor: string
  kind: 'CREATED' | 'UPDATED' | 'DELETED' | 'ENTERED' | 'LEFT'
  id: string
  node: Node | null
}

export type Live = {
  /** Cuts the connection, as a network does. */
  cut: () => void
  stop: () => void
}

/**
 * Follows a `…Changed` subscription over WebSocket. `query` has the variable `$after` and the field `field`, with `cursor`
 * in its selection. After a cut it connects again and goes on behind the last cursor, so that nothing is missed or told
 * twice: that is all a client has to do.
 */
export function follow<Node>(
  to: Endpoint,
  query: string,
  field: string,
  onChange: (change: Change<Node>) => void,
  onEnd: (error: unknown) => void = () => {},
): Live {
  let after: string | null = null
  let socket: WebSocket | undefined
  let stopped = false
  const client: Client = createClient({
    url: to.url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: to.authorization },
    // We subscribe again ourselves, because each time begins at another cursor.
    retryAttempts: 0,
    on: { opened: (opened) => (socket = opened as WebSocket) },
  })
  const subscribe = () => {
    client.subscribe<Record<string, Change<Node>>>(
      { query, variables: { after } },
      {
        next: ({ data, errors }) => {
          if (errors) return onEnd(new RequestFailed(errors as unknown as GraphQLFailure[]))
          const change = data?.[field]
          if (!change) return
          after = change.cursor
          onChange(change)
        },
        error: (error) => (isCut(error) && !stopped ? setTimeout(subscribe, 200) : onEnd(error)),
        complete: () => onEnd(null),
      },
    )
  }
  subscribe()
  return {
    cut: () => socket?.terminate(),
    stop: () => {
      stopped = true
      void client.dispose()
    },
  }
}

/** The connection ended, for whatever reason but that the server refused the operation. */
const isCut = (error: unknown) => !Array.isArray(error)

/** The same over server-sent events, as a browser's EventSource does it: `Last-Event-ID` is the cursor. */
export async function followEvents<Node>(
  to: Endpoint,
  query: string,
  field: string,
  onChange: (change: Change<Node>) => void,
  options: { after?: string | null; signal: AbortSignal; onOpen?: () => void },
): Promise<void> {
  const response = await fetch(to.url, {
    method: 'POST',
    headers: {
      ...headersOf(to),
      accept: 'text/event-stream',
      ...(options.after && { 'last-event-id': options.after }),
    },
    body: JSON.stringify({ query, variables: {} }),
    signal: options.signal,
  })
  if (!response.body || !response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`)
  options.onOpen?.()
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const line = event.split('\n').find((part) => part.startsWith('data:'))
      if (!line || line === 'data:') continue
      const change = JSON.parse(line.slice(5)).data?.[field] as Change<Node> | undefined
      if (change) onChange(change)
    }
  }
}
