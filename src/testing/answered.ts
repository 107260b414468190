import assert from 'node:assert/strict'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { readBody } from '../http/operation.ts'
import { isStream, jsonOf } from '../http/stream.ts'
import type { Graphql } from '../server.ts'

export type Answered = {
  data: Record<string, unknown> | null
  errors: { code: string; path: readonly string[]; message: string }[]
}

/** What whoever sends this body is answered, on any transport. A subscription that is let in is ended. */
export async function answered(graphql: Graphql, ctx: Context, body: Buffer): Promise<Answered> {
  try {
    const operation = readBody(body)
    assert.ok(!Array.isArray(operation))
    const answer = await graphql.run(ctx, operation, ['query', 'mutation', 'subscription'])
    if (isStream(answer)) {
      await answer.return?.()
      return { data: {}, errors: [] }
    }
    const { data = null, errors = [] } = JSON.parse(jsonOf(answer))
    type Told = { message: string; extensions: { code: string; path?: string[] } }
    const read = ({ message, extensions }: Told) => ({ message, code: extensions.code, path: extensions.path ?? [] })
    return { data, errors: errors.map(read) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { path = [] } = error.details as { path?: string[] }
    return { data: null, errors: [{ code: error.code, message: error.message, path }] }
  }
}
