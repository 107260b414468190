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
  const [id = ''] = await emitAll(ctx, event, [{ payload, projectId: projectId ?? ctx.projectId }])
  return id
}

/** The same for many, in one statement. Their order is kept. */
export async function emitAll<P>(
  ctx: TxContext,
  event: EventDef<P>,
  emitted: readonly { payload: P; projectId: string }[],
): Promise<string[]> {
  if (emitted.length === 0) return []
  const action = event.name.slice(event.name.lastIndexOf('.') + 1)
  const rows = emitted.map(({ payload, projectId }) => {
    const parsed = event.payload.parse(payload)
    return { id: newEventId(), projectId, aggregate: event.path(parsed).join('.'), payload: parsed }
  })
  await ctx.query(
    `insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", trace, "executionId")
     select (row->>'id')::uuid, row->>'projectId', (row->>'aggregate') || '.' || $2, $3, row->>'aggregate', row->'payload', $4, $5, $6, $7
     from jsonb_array_elements($1::jsonb) with ordinality as rows(row, place) order by place`,
    [
      JSON.stringify(rows),
      action,
      event.name,
      ctx.actor?.kind ?? 'guest',
      ctx.actor?.id ?? null,
      traceparentOf(ctx.span),
      ctx.run?.executionId ?? null,
    ],
  )
  ctx.emitted.count += rows.length
  if (namesCallers(event.name))
    for (const { aggregate, payload } of rows) ctx.emitted.callers.push(...namedBy(aggregate, payload))
  return rows.map(({ id }) => id)
}
