export type Endpoint = { url: string; authorization?: string | undefined }

export type GraphQLFailure = { message: string; path?: (string | number)[]; extensions?: { code?: string } }

/** What the server refused, with its code. */
export class RequestFailed extends Error {
  readonly failures: readonly GraphQLFailure[]

  constructor(failures: readonly GraphQLFailure[]) {
    super(failures.map(({ message, extensions }) => `${extensions?.code ?? 'ERROR'}: ${message}`).join('\n'))
    this.failures = failures
  }
}

/** An operation whose types `codegen.ts` has written. */
export type Typed<Data, Variables> = { toString: () => string; __apiType?: (variables: Variables) => Data }

/** One query or mutation over HTTP. Throws RequestFailed when the answer holds errors. */
export async function request<Data, Variables extends object>(
  to: Endpoint,
  query: Typed<Data, Variables>,
  variables?: Variables,
): Promise<Data>
export async function request<Data>(to: Endpoint, query: string, variables?: object): Promise<Data>
export async function request<Data>(
  to: Endpoint,
  query: { toString: () => string },
  variables?: object,
): Promise<Data> {
  const body = JSON.stringify({ query: query.toString(), variables })
  const response = await fetch(to.url, { method: 'POST', headers: headersOf(to), body })
  const answer = (await response.json()) as { data?: Data; errors?: GraphQLFailure[] }
  if (answer.errors?.length || !answer.data)
    throw new RequestFailed(answer.errors ?? [{ message: `HTTP ${response.status}` }])
  return answer.data
}

export function headersOf({ authorization }: Endpoint): Record<string, string> {
  return { 'content-type': 'application/json', accept: 'application/json', ...(authorization && { authorization }) }
}
