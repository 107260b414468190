import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from './failure.ts'

/** Where a project is, and who asks. */
export type Target = { url: string; project: string; key: string }

export type Api = {
  target: Target
  /** Runs a query or a mutation. Throws Failure, or Refused for what the server says of this operation. */
  request: <Data>(query: string, variables?: object) => Promise<Data>
}

type GraphqlError = { message: string; extensions?: { code?: string; path?: string[]; retryAfterMs?: number } }

/** What the server refused, in its words. */
export class Refused extends Failure {
  readonly code: string

  constructor({ message, extensions = {} }: GraphqlError) {
    const path = (extensions.path ?? []).filter((part) => part !== 'input')
    super(path.length > 0 ? `${message} (${path.join('.')})` : message)
    this.code = extensions.code ?? 'INTERNAL'
  }
}

/** How often an operation is tried that meets a part of the server that is not there, or is told to come later. */
const tries = 6

export function createApi(target: Target): Api {
  const request = async <Data>(query: string, variables: object = {}): Promise<Data> => {
    for (let i = 1; ; i++) {
      const { data, errors } = await post<Data>(target, { query, variables })
      const error = errors?.[0]
      if (!error && data) return data
      const failure = explain(target, error ?? { message: 'The server answered nothing.' })
      const { code, retryAfterMs } = error?.extensions ?? {}
      const passes = code === 'UNAVAILABLE' || retryAfterMs !== undefined
      if (!passes || i === tries) throw failure
      await sleep(Math.max(retryAfterMs ?? 0, 100 * 2 ** i))
    }
  }
  return { target, request }
}

/** The project's URL, with `path` behind it. */
export function urlOf({ url, project }: Target, path: string): string {
  return `${url.replace(/\/+$/, '')}/projects/${encodeURIComponent(project)}/${path}`
}

export function headersOf({ key }: Target): Record<string, string> {
  return { authorization: `Bearer ${key}`, accept: 'application/json' }
}

type Answer<Data> = { data?: Data | null; errors?: GraphqlError[] }

async function post<Data>(target: Target, body: object): Promise<Answer<Data>> {
  const url = urlOf(target, 'graphql')
  const headers = { ...headersOf(target), 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch((error: Error) => {
    throw unreachable(target, error)
  })
  try {
    return (await response.json()) as Answer<Data>
  } catch {
    throw new Failure(`${url} answers with HTTP ${response.status}, and not as a Tendril does. Is --url right?`)
  }
}

export function unreachable({ url }: Target, error: Error): Failure {
  const { code, message } = (error.cause ?? error) as NodeJS.ErrnoException
  return new Failure(`No server answers at ${url} (${code ?? message}). Is it running, and is --url right?`)
}

/** The same in words that name the option to look at. */
export function explain(target: Target, error: GraphqlError): Failure {
  const { message, extensions } = error
  if (extensions?.code === 'UNAUTHENTICATED') {
    return new Failure(`The key is not valid for the project ${target.project}, or no longer. Is --key right?`)
  }
  if (message === 'There is no such project.') {
    return new Failure(`There is no project ${target.project} at ${target.url}. Is --project right?`)
  }
  return new Refused(error)
}
