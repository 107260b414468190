/**
 * What went wrong, in words the caller may read. `cause` is for us and never leaves the server.
 *
 * One subclass for each kind of failure, not for each module: a client can only react to a kind.
 */
export abstract class AppError extends Error {
  abstract readonly code: ErrorCode

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }

  /** What stands beside `code` in `errors[].extensions`. */
  get details(): Record<string, unknown> {
    return {}
  }
}

/** The closed list of `errors[].extensions.code`. */
export const errorCodes = {
  INVALID: 'The input is wrong. `extensions.path` names the part of it.',
  NOT_FOUND:
    'It does not exist, or you may not read it. `extensions.path` tells where the input of a mutation names it.',
  CONFLICT:
    'It clashes with something that exists. `extensions.path` names the part of the input, where it is one part of it.',
  FORBIDDEN: 'You may read it, but not do this to it.',
  UNAUTHENTICATED: 'This needs a valid credential.',
  LIMIT_EXCEEDED: 'A stated limit was passed. `extensions.retryAfterMs` says when to try again, where that helps.',
  UNAVAILABLE:
    'A part of the server is not there right now, or has too much to do. Trying again is safe; `extensions.retryAfterMs` may say when.',
  RESYNC_REQUIRED: 'The cursor cannot be resumed: read the present state, then subscribe without a cursor.',
  SCHEMA_CHANGED:
    'A collection or attribute was changed, or the caller has lost a scope, so that the subscription cannot go on. `extensions.cursor` is where it ended: ask anew.',
  TERMINATED: 'Whoever runs the project has ended this subscription.',
  INTERNAL: 'Something went wrong on the server. `extensions.requestId` finds it in the log.',
} as const

export type ErrorCode = keyof typeof errorCodes

/** An error of what a part of the input says. */
abstract class PlacedError extends AppError {
  /** Which part of the input, where it is one. Not named `path`: graphql-js takes an error that has one for located already. */
  readonly at: readonly string[]

  constructor(message: string, at: readonly string[] = []) {
    super(message)
    this.at = at
  }

  override get details(): Record<string, unknown> {
    return this.at.length === 0 ? {} : { path: this.at }
  }
}

export class Invalid extends PlacedError {
  readonly code = 'INVALID'

  override get details() {
    return { path: this.at }
  }
}

export class Unauthenticated extends AppError {
  readonly code = 'UNAUTHENTICATED'
}

export class Forbidden extends PlacedError {
  readonly code = 'FORBIDDEN'
}

/** Also thrown for what exists but may not be read, so that the two cannot be told apart. */
export class NotFound extends PlacedError {
  readonly code = 'NOT_FOUND'
}

export class Conflict extends PlacedError {
  readonly code = 'CONFLICT'
}

export class LimitExceeded extends AppError {
  readonly code = 'LIMIT_EXCEEDED'
  readonly retryAfterMs: number | null

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }

  override get details(): Record<string, unknown> {
    return this.retryAfterMs === null ? {} : { retryAfterMs: this.retryAfterMs }
  }
}

export class Unavailable extends AppError {
  readonly code = 'UNAVAILABLE'
  readonly retryAfterMs: number | null

  constructor(message: string, { retryAfterMs, ...options }: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options)
    this.retryAfterMs = retryAfterMs ?? null
  }

  override get details(): Record<string, unknown> {
    return this.retryAfterMs === null ? {} : { retryAfterMs: this.retryAfterMs }
  }
}

export class ResyncRequired extends AppError {
  readonly code = 'RESYNC_REQUIRED'
}

/** The collection or an attribute that a subscription is about is gone, or no longer what it was; or its caller may less. */
export class SchemaChanged extends AppError {
  readonly code = 'SCHEMA_CHANGED'
  /** Where the subscription had come to. */
  readonly cursor: string | null

  constructor(message: string, cursor: string | null = null) {
    super(message)
    this.cursor = cursor
  }

  override get details() {
    return { cursor: this.cursor }
  }
}

export class Terminated extends AppError {
  readonly code = 'TERMINATED'
}
