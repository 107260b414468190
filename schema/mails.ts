import { MailStatus as Status } from '../prisma/client/enums.ts'
import type { Context } from '../src/context.ts'
import { resendMail, visibleMails } from '../src/modules/mails/mails.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'

const read = { audience: ['console', 'server'], scope: 'mails.read' } as const

const MailStatus = builder.enumType('MailStatus', {
  description: 'How a mail stands.',
  values: {
    [Status.PENDING]: { description: 'Not yet taken by the mail server.' },
    [Status.SENT]: { description: 'Taken by the mail server.' },
    [Status.FAILED]: { description: 'Refused for good, or given up.' },
  },
})

export const Mail = builder.prismaObject('Mail', {
  description: 'One mail to one address.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the mail.' }),
    template: t.exposeString('template', { description: 'Which text it has.' }),
    recipient: t.exposeString('recipient', { description: 'Whom it was for.' }),
    status: t.expose('status', { type: MailStatus, description: 'How it stands.' }),
    error: t.exposeString('error', { nullable: true, description: 'What the mail server said last.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
    sentAt: t.expose('sentAt', { type: 'DateTime', nullable: true, description: 'When it was taken.' }),
  }),
})

export const MailList = connectionOf(Mail, 'Mail')

const MailWhere = builder.inputType('MailWhere', {
  description: 'Which mails: those for which everything that is said here holds.',
  fields: (t) => ({
    status: t.field({ type: MailStatus, description: 'That have this status.' }),
  }),
})

const wanted = (ctx: Context, where: typeof MailWhere.$inferInput | null | undefined) => ({
  AND: [where?.status == null ? {} : { status: where.status }, visibleMails(ctx)],
})

builder.queryFields((t) => ({
  mail: t.prismaField({
    type: Mail,
    nullable: true,
    access: read,
    description: 'One mail; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which mail.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.mail.findFirst({ ...query, where: { AND: [{ id }, visibleMails(ctx)] } }),
  }),
  mails: t.prismaConnection(
    {
      type: Mail,
      cursor: 'id',
      access: read,
      description: 'The mails of the project, newest first.',
      args: { where: t.arg({ type: MailWhere, description: 'Which; all, if left out.' }) },
      totalCount: (_root, { where }, ctx) => ctx.db.mail.count({ where: wanted(ctx, where) }),
      resolve: (query, _root, { where }, ctx) =>
        ctx.db.mail.findMany({ ...query, where: wanted(ctx, where), orderBy: { id: 'desc' } }),
    },
    ...MailList,
  ),
}))

builder.mutationField('resendMail', (t) =>
  t.prismaField({
    type: Mail,
    access: { audience: ['console', 'server'], scope: 'mails.write' },
    description: 'Sends a mail that has failed once more, to the same address.',
    args: { id: t.arg.id({ required: true, description: 'Which mail.' }) },
    resolve: (_query, _root, { id }, ctx) => resendMail(ctx, id),
  }),
)

changedField({
  type: 'Mail',
  noun: 'mails',
  idKey: 'mailId',
  access: read,
  description: 'Mails that are asked for, sent or given up.',
  node: (t) =>
    t.prismaField({
      type: Mail,
      nullable: true,
      description: 'The mail as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) => ctx.db.mail.findFirst({ ...query, where: { AND: [{ id }, visibleMails(ctx)] } }),
    }),
})
