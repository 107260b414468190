import type { Prisma } from '../../../prisma/client/client.ts'
import type { Context, Services } from '../../context.ts'
import type { LoggedEvent } from '../../logged-event.ts'
import { operatorRows } from '../operators/operators.ts'

/** The audit log of the project that is asked. Its users do not see it. */
export function visibleAudits(ctx: Context): Prisma.AuditWhereInput {
  const { projectId, id } = operatorRows(ctx)
  return id ? { projectId, seq: { in: [] } } : { projectId }
}

/** What the workers do by themselves or functions do, and a log of is kept: it would be as long as all the rest. */
const unaudited = [
  'executions.created',
  'executions.finished',
  'executions.retried',
  'deliveries.finished',
  'mails.created',
  'mails.finished',
]

/** Keeps what happened in projects that are not deleted. An event that is kept already stays as it is. */
export async function recordAudits(services: Pick<Services, 'sql'>, events: readonly LoggedEvent[]): Promise<void> {
  const audited = events.filter(({ type }) => !unaudited.includes(type))
  const rows = audited.map((event) => {
    const { id, projectId, seq, name, aggregate, actorKind, actorId, at } = event
    const payload = withoutImages(event)
    return { id, projectId, seq: String(seq), event: name, resource: aggregate, actorKind, actorId, payload, at }
  })
  await services.sql.query(
    `insert into audits (id, "projectId", seq, event, resource, "actorKind", "actorId", payload, at)
     select id, "projectId", seq, event, resource, "actorKind", "actorId", payload, at
     from jsonb_to_recordset($1::jsonb) as r(id uuid, "projectId" text, seq bigint, event text, resource text,
       "actorKind" text, "actorId" text, payload jsonb, at timestamptz)
     where exists (select from projects p where p.id = r."projectId" and p."deletedAt" is null)
     on conflict do nothing`,
    [JSON.stringify(rows)],
  )
}

/** What a document held is not copied here: it may be deleted for good reasons, and the log of it is kept for long. */
function withoutImages({ type, payload }: LoggedEvent): unknown {
  if (!type.startsWith('documents.') || typeof payload !== 'object' || payload === null) return payload
  return Object.fromEntries(Object.entries(payload).filter(([key]) => key !== 'before' && key !== 'after'))
}
