/** An event as it stands in the log. */
export type LoggedEvent = {
  /** Its place in the log of all projects: gapless. */
  seq: bigint
  /** The seq of the same project's event before it, 0 for the first. */
  prev: bigint
  id: string
  projectId: string
  /** Full name. */
  name: string
  /** Short name, the key of the catalogue. */
  type: string
  aggregate: string
  payload: unknown
  actorKind: string
  actorId: string | null
  at: Date
  /** The `traceparent` of the transaction that emitted it, where that was traced and is read. */
  trace?: string | null
  /** The run of a function that emitted it, where it was one and this is read. */
  executionId?: string | null
}

/**
 * Whether a pattern of the event grammar names this event. A full pattern has a `*` for any one segment; a short one
 * (`documents.updated`, `documents.*`) stands for every full name that ends in that noun, any id and that action.
 */
export function matchesEvent(pattern: string, event: Pick<LoggedEvent, 'name' | 'type'>): boolean {
  if (pattern === '*') return true
  const wanted = pattern.split('.')
  const given = wanted.length === 2 ? event.type.split('.') : event.name.split('.')
  return wanted.length === given.length && wanted.every((segment, i) => segment === '*' || segment === given[i])
}
