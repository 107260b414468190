/**
 * What stands in `tendril.functions.ts`:
 *
 *   import type { Functions } from 'tendril/functions'
 *   export default { functions: { … } } satisfies Functions
 */
export type Functions = {
  /** By their name. */
  functions: Readonly<Record<string, FunctionConfig>>
}

/** What is left out stays as it is, and is the server's own choice where the function is new. */
export type FunctionConfig = {
  /** `typescript`, `javascript`, or one of a container: `python-3.11`. */
  runtime: string
  /** Where its code is, seen from this file; a folder of its name, if left out. */
  folder?: string
  /** The file in the folder that is run; `index.ts`, `index.js` or what else its runtime has for it, if left out. */
  entrypoint?: string
  /** What is run to build it instead of the runtime's own command; in containers only. */
  buildCommand?: string
  /** Patterns of events that it is run for: `documents.created`. */
  events?: readonly string[]
  /** What it decides on before it happens: `documents.before-create`, `users.before-update`. */
  hooks?: readonly HookConfig[]
  /** When it is run by the clock: five cron fields, or six with seconds first; null: not by the clock. */
  schedule?: string | null
  /** The time zone of the schedule. */
  timeZone?: string
  /** The roles that may run it: `any`, `users`, `team:…`. */
  execute?: readonly string[]
  /** What it may do when it acts for itself: `documents.read`, … */
  scopes?: readonly string[]
  /** As whom it speaks to the API. */
  runAs?: 'CALLER' | 'FUNCTION'
  timeoutMs?: number
  memoryMb?: number
  isTrusted?: boolean
  maxAttempts?: number
  retryAfterMs?: number
  logging?: boolean
  enabled?: boolean
}

export type HookConfig = {
  /** A pattern: `databases.*.collections.posts.documents.before-create`. */
  on: string
  /** How long a change waits for the answer. */
  deadlineMs?: number
  /** What becomes of the change when there is no answer. */
  onMissed?: 'REJECT' | 'ALLOW'
}

/** A document of a code generator, or the text of an operation. */
type Document<Data, Variables> = string | { toString: () => string; __apiType?: (variables: Variables) => Data }

/** What a function is called with: `export default async ({ req, res }: FunctionContext) => …`. */
export type FunctionContext = {
  req: FunctionRequest
  /** The same as the web's own. */
  request: Request
  /** Makes answers. What the function returns is one of them, or a `Response`. */
  res: FunctionAnswers
  /** Its variables. */
  env: Readonly<Record<string, string>>
  log: (...values: unknown[]) => void
  error: (...values: unknown[]) => void
  fetch: typeof fetch
  /** Asks the project's API as whom it runs. Throws where the answer holds errors. */
  graphql: <Data, Variables extends object = Record<string, unknown>>(
    document: Document<Data, Variables>,
    variables?: Variables,
  ) => Promise<Data>
}

export type FunctionRequest = {
  method: string
  /** Path and query. */
  url: string
  path: string
  query: Readonly<Record<string, string>>
  headers: Readonly<Record<string, string>>
  /** Aborted when whoever called has left. */
  signal: AbortSignal
  text: () => Promise<string>
  // biome-ignore lint/suspicious/noExplicitAny: whoever reads it knows what was sent
  json: () => Promise<any>
  bytes: () => Promise<Uint8Array>
  arrayBuffer: () => Promise<ArrayBuffer>
}

/** Several cookies are a list of `set-cookie`. */
export type AnswerHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

export type FunctionAnswers = {
  json: (value: unknown, status?: number, headers?: AnswerHeaders) => unknown
  text: (text: string, status?: number, headers?: AnswerHeaders) => unknown
  binary: (bytes: Uint8Array, status?: number, headers?: AnswerHeaders) => unknown
  empty: (status?: number, headers?: AnswerHeaders) => unknown
  redirect: (url: string, status?: number, headers?: AnswerHeaders) => unknown
}
