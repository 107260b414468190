import { PothosValidationError } from '@pothos/core'
import { type ExecutionResult, GraphQLError, type GraphQLErrorOptions, Kind } from 'graphql'
import type { Actor } from '../context.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { type Given, inputPath } from './input-path.ts'
import { Refusal } from './refusal.ts'
import { isUnavailable } from './unavailable.ts'

/** Whose answer it is, once that is known, and what was asked where that has been read. */
export type Asked = Given & { requestId: string; log: Log; metrics: Metrics; actor?: Actor | null }

/** At most this many of the errors that validation finds are told: the first ones explain the others. */
const told = 10

/** What a caller may read of an answer. Everything that leaves the server, on any transport, has been here. */
export function maskResult(result: ExecutionResult, asked: Asked): ExecutionResult {
  if (!result.errors) return result
  const errors = result.data === undefined ? result.errors.slice(0, told) : result.errors
  return { ...result, errors: errors.map((error) => maskError(error, asked)) }
}

/**
 * An AppError keeps its words and gets its code, a mistake in the operation is INVALID, and everything else is
 * "Something went wrong.", with the id under which the log has it.
 */
export function maskError(error: unknown, asked: Asked): GraphQLError {
  const told = mask(error, asked)
  asked.metrics.errors.inc({ code: String(told.extensions.code) })
  return told
}

function mask(error: unknown, asked: Asked): GraphQLError {
  const causes = causesOf(error)
  const known = causes.find((cause) => cause instanceof AppError)
  const { requestId, log } = asked
  const field = error instanceof GraphQLError ? error.path?.join('.') : undefined
  const warn = (err: unknown) => log.warn({ requestId, field, err }, 'a part of the server is not available')
  if (known?.cause) warn(known.cause)
  if (known) return tell(error, known.message, known.code, known.details, known)
  if (isMistake(error, causes))
    return tell(error, withWhy(withoutHints(error.message), asked.actor), 'INVALID', { path: inputPath(error, asked) })
  // A cursor that no list has given, `first` below 0, and the like.
  const refused = causes.find((cause) => cause instanceof PothosValidationError)
  if (refused) return tell(error, refused.message, 'INVALID', { path: [] })
  const err = causes.at(-1)
  if (causes.some(isUnavailable)) {
    warn(err)
    return tell(error, 'A part of the server is not available right now. Try again.', 'UNAVAILABLE')
  }
  log.error({ requestId, field, err }, 'something went wrong')
  return tell(error, 'Something went wrong.', 'INTERNAL', { requestId })
}

const statuses: Record<ErrorCode, number> = {
  INVALID: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  RESYNC_REQUIRED: 409,
  SCHEMA_CHANGED: 409,
  TERMINATED: 403,
  LIMIT_EXCEEDED: 400,
  INTERNAL: 500,
  UNAVAILABLE: 503,
}

/** The HTTP status of an answer. One that has data, even partly, is 200: what went wrong stands in it. */
export function statusOf(result: ExecutionResult): number {
  if (!result.errors || result.data !== undefined) return 200
  const error = result.errors[0]
  if (error?.originalError instanceof Refusal) return error.originalError.status
  const code = error?.extensions.code as ErrorCode
  if (code === 'LIMIT_EXCEEDED' && error?.extensions.retryAfterMs !== undefined) return 429
  return statuses[code] ?? 500
}

function tell(
  error: unknown,
  message: string,
  code: ErrorCode,
  details: Record<string, unknown> = {},
  originalError: AppError | null = null,
): GraphQLError {
  const place = error instanceof GraphQLError ? placeOf(error) : {}
  return new GraphQLError(shorten(message), { ...place, originalError, extensions: { ...details, code } })
}

function placeOf(error: GraphQLError): GraphQLErrorOptions {
  const { nodes, source, positions, path } = error
  return { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, path: path ?? null }
}

/** The error and what it wraps, outermost first. */
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = []
  for (let current = error; current != null && causes.length < 8; ) {
    causes.push(current)
    current = current instanceof GraphQLError ? current.originalError : undefined
  }
  return causes
}

/** graphql-js found fault with the operation itself: its syntax, its validity, or a value given for an argument. */
function isMistake(error: unknown, causes: unknown[]): error is GraphQLError {
  if (!(error instanceof GraphQLError) || error.extensions.unexpected) return false
  const last = causes.at(-1)
  if (error.path === undefined) {
    // Nothing has run yet. A scalar may refuse a variable with an error of any kind.
    return last instanceof GraphQLError || error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION
  }
  // An argument has a place in the operation. What a scalar says of a value that a resolver gave it has none.
  return last instanceof GraphQLError && last !== error && last.nodes !== undefined
}

/** A hint is the end of a message. What stands before it may be a value of any length, and is not searched. */
function withoutHints(message: string): string {
  const hint = message.lastIndexOf(' Did you mean ')
  return hint >= 0 && message.endsWith('?') ? message.slice(0, hint) : message
}

const notThere = /^(Cannot query field "\w+" on type "\w+"|There is no \w+ that you may use)\.$/

/** Whether what is not there for a caller is there for others is told to nobody; why it may be is told to all the same. */
function withWhy(message: string, actor: Actor | null | undefined): string {
  if (actor === undefined || !notThere.test(message)) return message
  const why = actor === null ? 'You have sent no credential, and see only what needs none.' : whys[actor.kind]
  return why ? `${message} ${why}` : message
}

const whys: Readonly<Partial<Record<Actor['kind'], string>>> = {
  key: 'A key sees only what its scopes open.',
  function: 'A function that acts for itself sees only what its scopes open.',
  user: 'You see only what your roles open.',
}

/** A message may quote what was sent, however long that is. */
function shorten(message: string): string {
  return message.length > 500
    ? `${message.slice(0, 300).toWellFormed()} … ${message.slice(-150).toWellFormed()}`
    : message
}
