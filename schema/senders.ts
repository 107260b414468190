import { z } from 'zod'
import { deleteSender, setSender, testSender, visibleSenders } from '../src/modules/senders/senders.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { Mail } from './mails.ts'

const access = { audience: ['console'] } as const

const Sender = builder.prismaObject('Sender', {
  description: "Who the project's mails come from, and the SMTP server that takes them.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the sender.' }),
    name: t.exposeString('name', { description: 'What readers see as the sender.' }),
    address: t.exposeString('address', { description: 'The address that mails come from.' }),
    replyTo: t.exposeString('replyTo', { nullable: true, description: 'Where answers go; null for `address`.' }),
    host: t.exposeString('host', { description: 'The SMTP server.' }),
    port: t.exposeInt('port', { description: 'The port of the server.' }),
    secure: t.exposeBoolean('secure', {
      description: 'Whether it speaks TLS from the first byte; otherwise it is asked for STARTTLS.',
    }),
    username: t.exposeString('username', { nullable: true, description: 'Who signs in there; null for nobody.' }),
    error: t.exposeString('refusal', {
      nullable: true,
      description: 'Why the server refuses the login; null while it does not.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was set.' }),
  }),
})

builder.queryField('sender', (t) =>
  t.prismaField({
    type: Sender,
    nullable: true,
    access,
    description: "The project's own sender; null while mails go out as the installation's.",
    resolve: (query, _root, _args, ctx) => ctx.db.sender.findFirst({ ...query, where: visibleSenders(ctx) }),
  }),
)

const text = (max: number) => z.string().max(max)

builder.mutationFields((t) => ({
  setSender: t.prismaFieldWithInput({
    typeOptions: { description: 'The sender and its SMTP server, instead of what was set before.' },
    type: Sender,
    access,
    description: "Sets who the project's mails come from, and by which SMTP server. Only owners may.",
    input: {
      name: t.input.string({ required: true, validate: text(128), description: 'What readers see as the sender.' }),
      address: t.input.string({
        required: true,
        validate: text(254),
        description: 'The address that mails come from.',
      }),
      replyTo: t.input.string({ validate: text(254), description: 'Where answers go; to `address`, if left out.' }),
      host: t.input.string({
        required: true,
        validate: text(253),
        description: 'The SMTP server. A private address is refused unless the operator has allowed it.',
      }),
      port: t.input.int({
        required: true,
        description: 'The port of the server: 465 with TLS, 587 with STARTTLS, as a rule.',
      }),
      secure: t.input.boolean({
        required: true,
        description: 'Whether it speaks TLS from the first byte. Certificates are always checked.',
      }),
      username: t.input.string({ validate: text(256), description: 'Who signs in there; nobody, if left out.' }),
      password: t.input.string({
        validate: text(1024),
        description:
          'Kept encrypted, never answered. The one before, if left out, for the same user at the same server.',
      }),
    },
    resolve: (_query, _root, { input }, ctx) => setSender(ctx, input),
  }),
  deleteSender: t.id({
    access,
    description: "Lets mails go out as the installation's own again. Answers the sender's id. Only owners may.",
    resolve: (_root, _args, ctx) => deleteSender(ctx),
  }),
  testSender: t.prismaField({
    type: Mail,
    access,
    description:
      'Sends a mail to your own address by way of the sender. Follow it with `mailChanged`. Only owners may.',
    resolve: (_query, _root, _args, ctx) => testSender(ctx),
  }),
}))

changedField({
  type: 'Sender',
  noun: 'senders',
  idKey: 'senderId',
  access,
  description: "The project's own sender, when it is set, removed, tested or refused by its server.",
  node: (t) =>
    t.prismaField({
      type: Sender,
      nullable: true,
      description: 'The sender as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.sender.findFirst({ ...query, where: { AND: [{ id }, visibleSenders(ctx)] } }),
    }),
})
