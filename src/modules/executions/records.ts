import type { Execution } from '../../../prisma/client/client.ts'

/** What is written of an execution when it is planned, or begins. */
export type Planned = Pick<
  Execution,
  | 'id'
  | 'projectId'
  | 'functionId'
  | 'deploymentId'
  | 'trigger'
  | 'key'
  | 'actorKind'
  | 'actorId'
  | 'sessionId'
  | 'depth'
  | 'isAsync'
  | 'attempts'
  | 'method'
  | 'url'
  | 'failure'
  | 'error'
  | 'scheduledAt'
  | 'startedAt'
  | 'finishedAt'
  | 'createdAt'
> & {
  status: 'PENDING' | 'RUNNING' | 'FAILED'
  requestHeaders: Readonly<Record<string, string>>
  requestBody: Uint8Array | null
  /** The `traceparent` that it follows from. */
  trace: string | null
}

/** What is written of it at its end. Only the try that is under way can end it. */
export type Ended = Pick<
  Execution,
  | 'id'
  | 'projectId'
  | 'functionId'
  | 'deploymentId'
  | 'trigger'
  | 'actorKind'
  | 'actorId'
  | 'attempts'
  | 'responseStatus'
  | 'responseBody'
  | 'failure'
  | 'error'
  | 'durationMs'
  | 'isCold'
> & {
  status: 'COMPLETED' | 'FAILED' | 'CANCELLED'
  responseHeaders: Readonly<Record<string, string>> | null
  logs: readonly { at: number; level: string; text: string }[]
  memoryBytes: number | null
  finishedAt: Date
  trace: string | null
}

/**
 * Writes beginnings and ends of executions, those of many in one statement (docs/decisions/0024). Each resolves once it is
 * committed, with its event; false where there is nothing to write: the function is gone or it is known already, or it has
 * ended.
 */
export type Journal = {
  begin: (planned: Planned) => Promise<boolean>
  end: (ended: Ended) => Promise<boolean>
  /**
   * An execution whose beginning is written when somebody asks for it, after a moment, or together with its end. `end` tells
   * whether it is there, whoever has ended it.
   */
  open: (planned: Planned) => { begin: () => Promise<boolean>; end: (ended: Ended) => Promise<boolean> }
}
