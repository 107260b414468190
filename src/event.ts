import type { z } from 'zod'
import type { TxContext } from './context.ts'
import { namedBy, namesCallers } from './identities.ts'
import { newEventId } from './lib/ids.ts'
import { traceparentOf } from './platform/tracing.ts'

/**
 * A kind of event. `name` is its short form, `users.created`; its full name puts the path before the action:
 * `users.usr_1.created`, `databases.db_1.collections.posts.documents.doc_1.updated`.
 */
export type EventDef<Payload = unknown> = {
  name: string
  description: string
  payload: z.ZodType<Payload>
  /** Nouns and ids from the outermost to the thing itself: `['users', id]`. It is the aggregate whose order is kept. */
  path: (payload: Payload) => readonly string[]
}

/** Every kind of event there is, by its short name. Filled by the modules' `events.ts`. */
export const catalogue = new Map<string, EventDef>()

export function defineEvent<Payload>(def: EventDef<Payload>): EventDef<Payload> {
  if (catalogue.has(def.name)) throw new Error(`The event ${def.name} is defined twice.`)
  catalogue.set(def.name, def as EventDef)
  return def
}

/**
 * Records that something happened, in the transaction in which it happened, after the rows it is about were written:
 * their locks are what keeps the order of events about one thing.
 *
 * Nothing is published here: `workers/relay.ts` moves the rows to the log once they are committed.
 */
export async function emit<P>(ctx: TxContext, event: EventDef<P>, payload: P, projectId?: string): Promise<string> {
  const parsed = event.payload.parse(payload)
  const id = newEventId()
  const aggregate = event.path(parsed).join('.')
  const action = event.name.slice(event.name.lastIndexOf('.') + 1)
  await ctx.query(
    `insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", trace)
     values ($1::uuid, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)`,
    [
      id,
      projectId ?? ctx.projectId,
      `${aggregate}.${action}`,
      event.name,
      aggregate,
      JSON.stringify(parsed),
      ctx.actor?.kind ?? 'guest',
      ctx.actor?.id ?? null,
      traceparentOf(ctx.span),
    ],
  )
  ctx.emitted.count += 1
  if (namesCallers(event.name)) ctx.emitted.callers.push(...namedBy(aggregate, parsed))
  return id
}
