import { z } from 'zod'
import { Invalid } from '../src/errors.ts'
import { visibleAudits } from '../src/modules/audits/audits.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connections.ts'

const Audit = builder.prismaObject('Audit', {
  description: 'Something that happened in the project, and who did it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "The event's id, the same as in webhooks." }),
    event: t.exposeString('event', { description: "The event's full name: `users.usr_….created`." }),
    resource: t.exposeString('resource', { description: 'What it happened to: the name without its action.' }),
    actorKind: t.exposeString('actorKind', {
      description: 'Who did it: `account`, `key`, `user`, `guest` or `system`.',
    }),
    actorId: t.exposeID('actorId', { nullable: true, description: 'Their id; null for a guest.' }),
    payload: t.expose('payload', { type: 'JSON', description: 'What the event says of it.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
  }),
})

export const AuditList = connectionOf(Audit, 'Audit')

builder.queryField('audits', (t) =>
  t.prismaConnection(
    {
      type: Audit,
      cursor: 'id',
      access: { audience: ['console', 'server'], scope: 'audits.read' },
      description: 'The audit log of the project, newest first.',
      args: {
        resource: t.arg.string({ description: 'Only what happened to this, e.g. `users.usr_…`.' }),
        actorId: t.arg.id({ description: 'Only what this account, key or user did.' }),
      },
      totalCount: (_root, args, ctx) => ctx.db.audit.count({ where: chosen(args, visibleAudits(ctx)) }),
      resolve: async (query, _root, args, ctx) => {
        const { cursor, skip, ...page } = query
        const where = chosen(args, visibleAudits(ctx))
        const orderBy = { seq: 'desc' } as const
        if (!cursor) return ctx.db.audit.findMany({ ...page, skip, where, orderBy })
        // PostgreSQL takes nothing else for the id of an event.
        const id = z.uuid().safeParse(cursor.id)
        if (!id.success) throw new Invalid('This is no cursor of a list.')
        const at = await ctx.db.audit.findFirst({ where: { AND: [where, { id: id.data }] }, select: { seq: true } })
        if (!at) return []
        const beyond = { seq: page.take < 0 ? { gt: at.seq } : { lt: at.seq } }
        return ctx.db.audit.findMany({ ...page, where: { AND: [where, beyond] }, orderBy })
      },
    },
    ...AuditList,
  ),
)

type Choice = { resource?: string | null | undefined; actorId?: string | null | undefined }

function chosen(
  { resource, actorId }: Choice,
  visible: ReturnType<typeof visibleAudits>,
): ReturnType<typeof visibleAudits> {
  return { AND: [visible, resource == null ? {} : { resource }, actorId == null ? {} : { actorId }] }
}
