import { type GraphQLSchema, graphql, parse, subscribe } from 'graphql'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'

type Schemas = { for: (ctx: Context) => Promise<GraphQLSchema> }
type Variables = Readonly<Record<string, unknown>>

export type Outcome = {
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of any shape.
  data: Record<string, any> | null
  /** `CODE message` and, where there is one, the path of the input: `INVALID This is required. (input.title)`. */
  errors: string[]
}

/** Runs an operation as this caller, without a transport. */
export async function operate(
  schemas: Schemas,
  ctx: Context,
  source: string,
  variableValues: Variables = {},
): Promise<Outcome> {
  const { data, errors = [] } = await graphql({
    schema: await schemas.for(ctx),
    source,
    variableValues,
    contextValue: ctx,
  })
  return {
    data: data ? JSON.parse(JSON.stringify(data)) : null,
    errors: errors.map(({ originalError, message }) => lineOf(originalError, message)),
  }
}

/** The payloads of a subscription, one for each `next()`. Throws what it is refused with. */
export async function listen(
  schemas: Schemas,
  ctx: Context,
  source: string,
  variableValues: Variables = {},
): Promise<AsyncGenerator<Outcome>> {
  const result = await subscribe({
    schema: await schemas.for(ctx),
    document: parse(source),
    variableValues,
    contextValue: ctx,
  })
  if (!(Symbol.asyncIterator in result)) throw result.errors?.[0]?.originalError ?? result.errors?.[0]
  return outcomes(result)
}

async function* outcomes(
  results: AsyncGenerator<{
    data?: unknown
    errors?: readonly { message: string; originalError?: Error | undefined }[]
  }>,
): AsyncGenerator<Outcome> {
  for await (const { data, errors = [] } of results) {
    yield {
      data: data ? JSON.parse(JSON.stringify(data)) : null,
      errors: errors.map(({ originalError, message }) => lineOf(originalError, message)),
    }
  }
}

function lineOf(error: Error | undefined | null, message: string): string {
  if (!(error instanceof AppError)) return error ? `INTERNAL ${error.stack}` : message
  const { path } = error.details
  return `${error.code} ${error.message}${Array.isArray(path) && path.length > 0 ? ` (${path.join('.')})` : ''}`
}
