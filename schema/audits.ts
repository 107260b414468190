import { z } from 'zod'
import type { Context } from '../src/context.ts'
import { Invalid } from '../src/errors.ts'
import { type AuditFilter, auditIds, countAudits, type View } from '../src/modules/audits/page.ts'
import { ActorKind, kindOf } from './actors.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connections.ts'

const Audit = builder.prismaObject('Audit', {
  description: 'Something that happened in the project, and who did it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The event's id, the same as in webhooks." }),
    event: t.exposeString('event', { description: "The event's full name: `users.usr_….created`." }),
    resource: t.exposeString('resource', { description: 'What it happened to: the name without its action.' }),
    actorKind: t.field({
      type: ActorKind,
      description: 'What kind of caller did it.',
      select: { actorKind: true },
      resolve: ({ actorKind }) => kindOf(actorKind),
    }),
    actorId: t.exposeID('actorId', {
      nullable: true,
      description: 'The id of the caller who did it; null for a guest.',
    }),
    payload: t.expose('payload', { type: 'JSON', description: 'What the event says of it.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
  }),
})

export const AuditList = connectionOf(Audit, 'Audit')

/** What people may see of it: not who runs the project, nor what they did it with. */
export const Activity = builder.prismaObject('Audit', {
  variant: 'Activity',
  description: 'Something that you did, or that was done to your account.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The event's id." }),
    event: t.exposeString('event', { description: "The event's full name: `users.usr_….sessions.ses_….created`." }),
    byYou: t.boolean({
      description: 'Whether you did it yourself.',
      select: { actorId: true },
      resolve: ({ actorId }, _args, ctx) => actorId !== null && actorId === ctx.actor?.id,
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
  }),
})

export const ActivityList = connectionOf(Activity, 'Activity')

const AuditWhere = builder.inputType('AuditWhere', {
  description: 'Which entries: those for which everything that is said here holds.',
  fields: (t) => ({
    resource: t.string({ description: 'What happened to this, e.g. `users.usr_…`.' }),
    actorId: t.id({ description: 'What this account, key, function or user did.' }),
    userId: t.id({ description: 'What this user did and what happened to them, their sessions included.' }),
    event: t.string({
      validate: z.string().max(256),
      description: 'Events of this pattern: `documents.*`, or a full name with `*` for any segment.',
    }),
    from: t.field({ type: 'DateTime', description: 'From this moment on.' }),
    to: t.field({ type: 'DateTime', description: 'Before this moment.' }),
  }),
})

builder.queryField('audits', (t) =>
  t.prismaConnection(
    {
      type: Audit,
      cursor: 'id',
      access: { audience: ['console', 'server'], scope: 'audits.read' },
      description: 'The audit log of the project, newest first.',
      args: { where: t.arg({ type: AuditWhere, description: 'Which; all, if left out.' }) },
      totalCount: (_root, { where }, ctx) => countAudits(ctx, 'project', where ?? {}),
      resolve: (query, _root, { where }, ctx) => auditPage(ctx, 'project', where ?? {}, query),
    },
    ...AuditList,
  ),
)

type Query = { take: number; skip?: number; cursor?: { id?: unknown } }

/** A page of the log, by its place in the log of events. */
export async function auditPage<Rest extends object>(
  ctx: Context,
  view: View,
  filter: AuditFilter,
  { take, cursor, skip: _skip, ...query }: Query & Rest,
) {
  // PostgreSQL takes nothing else for the id of an event.
  const after = cursor && z.uuid().safeParse(cursor.id)
  if (after && !after.success) throw new Invalid('This is no cursor of a list.', [take < 0 ? 'before' : 'after'])
  const ids = await auditIds(ctx, view, filter, { take, after: after?.data ?? null })
  return ctx.db.audit.findMany({ ...query, where: { id: { in: ids } }, orderBy: { seq: 'desc' } })
}
