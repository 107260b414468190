import { Agent, request } from 'undici'
import type { EffectAnswer } from '../engine.ts'
import type { ToBroker } from './messages.ts'

const maxBytes = 10 * 1024 * 1024
const timeoutMs = 60_000

type Given = Extract<ToBroker, { kind: 'graphql' }>

class ApiUnavailable extends Error {}

/** A function's `graphql`: a request like any client's, with the token of its run. */
export function createGraphql(apiUrl: string) {
  const dispatcher = new Agent({ connections: 64, connect: { timeout: 5_000 } })
  return async ({ tenant, token, key, traceparent, head }: Given, signal: AbortSignal): Promise<EffectAnswer> => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      // A run that is tried again makes the same calls in the same order: what was done is not done twice.
      'idempotency-key': key,
      ...(traceparent && { traceparent }),
    }
    const body = JSON.stringify({ query: String(head.query), variables: head.variables ?? {} })
    const url = `${apiUrl}/projects/${encodeURIComponent(tenant)}/graphql`
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const reply = await request(url, { method: 'POST', headers, body, dispatcher, signal: limit })
      return { head: read(await collect(reply.body)), body: Buffer.alloc(0) }
    } catch (error) {
      if (error instanceof ApiUnavailable) throw error
      throw new ApiUnavailable('The API could not be reached.', { cause: error })
    }
  }
}

async function collect(body: AsyncIterable<Buffer> & { destroy: () => unknown }): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > maxBytes) throw new ApiUnavailable('The answer of the API is larger than 10 MB.')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function read(text: string): { data: unknown; errors: unknown } {
  const { data = null, errors = null } = JSON.parse(text)
  return { data, errors }
}
