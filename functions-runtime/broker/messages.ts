/** What the supervisor says to the broker, and it to the supervisor: frames as in protocol.ts, over its file 3. */
export type FetchHead = { method: string; url: string; redirect: string; headers: [string, string][] }
export type GraphqlHead = { query: string; variables: object }

export type ToBroker =
  | { kind: 'fetch'; id: number; tenant: string; head: FetchHead }
  /** `token` is that of the one run; `key` names the effect, so that the same one happens once. */
  | {
      kind: 'graphql'
      id: number
      tenant: string
      token: string
      key: string
      traceparent: string | null
      head: GraphqlHead
    }
  | { kind: 'giveUp'; id: number }

export type FromBroker =
  | { kind: 'ready' }
  | { kind: 'done'; id: number; head: unknown }
  | { kind: 'failed'; id: number; error: { name: string; message: string } }
