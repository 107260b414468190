import { type ExecutionResult, type GraphQLSchema, graphql, parse, subscribe } from 'graphql'
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
  return outcomeOf(await graphql({ schema: await schemas.for(ctx), source, variableValues, contextValue: ctx }))
}

export type Payloads = { next: () => Promise<IteratorResult<Outcome, undefined>>; return: () => Promise<unknown> }

/** The payloads of a subscription, one for each `next()`. Throws what it is refused with. */
export async function listen(
  schemas: Schemas,
  ctx: Context,
  source: string,
  variableValues: Variables = {},
): Promise<Payloads> {
  const result = await subscribe({
    schema: await schemas.for(ctx),
    document: parse(source),
    variableValues,
    contextValue: ctx,
  })
  if (!(Symbol.asyncIterator in result)) throw new Error(outcomeOf(result).errors[0])
  const next = async (): Promise<IteratorResult<Outcome, undefined>> => {
    const { done, value } = await result.next()
    return done ? { done: true, value: undefined } : { done: false, value: outcomeOf(value) }
  }
  return { next, return: () => result.return(undefined) }
}

function outcomeOf({ data, errors = [] }: ExecutionResult): Outcome {
  return { data: data ? JSON.parse(JSON.stringify(data)) : null, errors: errors.map(lineOf) }
}

function lineOf(error: Error & { originalError?: Error | undefined }): string {
  const cause = error instanceof AppError ? error : error.originalError
  if (!(cause instanceof AppError)) return cause ? `INTERNAL ${cause.stack}` : error.message
  const { path } = cause.details
  return `${cause.code} ${cause.message}${Array.isArray(path) && path.length > 0 ? ` (${path.join('.')})` : ''}`
}
