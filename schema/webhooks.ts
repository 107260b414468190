import { z } from 'zod'
import { visibleDeliveries } from '../src/modules/deliveries/deliveries.ts'
import {
  createWebhook,
  deleteWebhook,
  rotateWebhookSecret,
  updateWebhook,
  visibleWebhooks,
  type WebhookWithSecret,
} from '../src/modules/webhooks/webhooks.ts'
import { builder } from './builder.ts'
import { BasicAuthInput, HeaderInput, headerNames, username, verifyTls } from './calls.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { Delivery, DeliveryList, DeliveryWhere, ofDocuments } from './deliveries.ts'

const read = { audience: ['console', 'server'], scope: 'webhooks.read' } as const
const write = { audience: ['console', 'server'], scope: 'webhooks.write' } as const

const Webhook = builder.prismaObject('Webhook', {
  description: "An address that is told of the project's events, signed as Standard Webhooks asks.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the webhook.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    url: t.exposeString('url', { description: 'Where events are sent.' }),
    events: t.exposeStringList('events', { description: 'Patterns of the events that it is told of.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether events are sent.' }),
    headerNames: t.stringList(headerNames),
    username: t.string(username),
    verifyTls: t.exposeBoolean('verifyTls', verifyTls),
    disabledReason: t.exposeString('disabledReason', {
      nullable: true,
      description: 'Why it was disabled, where it was not by hand.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    deliveries: t.relatedConnection(
      'deliveries',
      {
        ...ofDocuments,
        type: Delivery,
        cursor: 'id',
        totalCount: true,
        description: 'What was sent to it, newest first.',
        args: { where: t.arg({ type: DeliveryWhere, description: 'Which; all, if left out.' }) },
        query: ({ where }, ctx) => ({
          where: { AND: [visibleDeliveries(ctx), where?.status == null ? {} : { status: where.status }] },
          orderBy: { id: 'desc' },
        }),
      },
      ...DeliveryList,
    ),
  }),
})

export const WebhookList = connectionOf(Webhook, 'Webhook')

const CreatedWebhook = builder.objectRef<WebhookWithSecret>('CreatedWebhook').implement({
  description: 'A webhook, with what is shown only now.',
  fields: (t) => ({
    webhook: t.prismaField({ type: Webhook, description: 'The webhook.', resolve: (_query, { webhook }) => webhook }),
    secret: t.exposeString('secret', { description: 'What its receiver verifies with: `whsec_…`. Shown once.' }),
  }),
})

builder.queryFields((t) => ({
  webhook: t.prismaField({
    type: Webhook,
    nullable: true,
    access: read,
    description: 'One webhook; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which webhook.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.webhook.findFirst({ ...query, where: { AND: [{ id }, visibleWebhooks(ctx)] } }),
  }),
  webhooks: t.prismaConnection(
    {
      type: Webhook,
      cursor: 'id',
      access: read,
      description: 'The webhooks of the project, oldest first.',
      totalCount: (_root, _args, ctx) => ctx.db.webhook.count({ where: visibleWebhooks(ctx) }),
      resolve: (query, _root, _args, ctx) =>
        ctx.db.webhook.findMany({ ...query, where: visibleWebhooks(ctx), orderBy: { id: 'asc' } }),
    },
    ...WebhookList,
  ),
}))

const name = z.string().trim().min(1).max(128)
const url = z.string().max(2048)
const events = z.array(z.string().max(256)).min(1).max(100)

builder.mutationFields((t) => ({
  createWebhook: t.fieldWithInput({
    typeOptions: { description: 'A new webhook.' },
    type: CreatedWebhook,
    access: write,
    description: 'Registers a webhook.',
    input: {
      name: t.input.string({
        required: true,
        validate: name,
        description: 'What people call it: 1 to 128 characters.',
      }),
      url: t.input.string({ required: true, validate: url, description: 'Where events are sent.' }),
      events: t.input.stringList({
        required: true,
        validate: events,
        description: 'Patterns: `documents.*`, `users.created`, or a full name with `*` for any segment.',
      }),
      enabled: t.input.boolean({ description: 'Whether events are sent; they are, if left out.' }),
      headers: t.input.field({ type: [HeaderInput], description: 'Headers of every request: up to 32.' }),
      basicAuth: t.input.field({ type: BasicAuthInput, description: 'The login of every request.' }),
      verifyTls: t.input.boolean({
        description: 'Whether the certificate of an https address is checked; it is, if left out.',
      }),
    },
    resolve: (_root, { input }, ctx) => createWebhook(ctx, input),
  }),
  updateWebhook: t.prismaFieldWithInput({
    typeOptions: { description: 'Changes of a webhook. What is left out stays.' },
    type: Webhook,
    access: write,
    description: 'Changes a webhook. What is left out stays.',
    input: {
      id: t.input.id({ required: true, description: 'Which webhook.' }),
      name: t.input.string({ validate: name, description: 'What people call it: 1 to 128 characters.' }),
      url: t.input.string({
        validate: url,
        description: 'Where events are sent: to another server, with headers and login given again, or none.',
      }),
      events: t.input.stringList({ validate: events, description: 'Patterns of the events that it is told of.' }),
      enabled: t.input.boolean({ description: 'Whether events are sent. Enabling forgets its failures.' }),
      headers: t.input.field({
        type: [HeaderInput],
        description: 'Headers of every request, up to 32; replaces those before.',
      }),
      basicAuth: t.input.field({ type: BasicAuthInput, description: 'The login of every request; null removes it.' }),
      verifyTls: t.input.boolean({ description: 'Whether the certificate of an https address is checked.' }),
    },
    resolve: (_query, _root, { input: { id, ...changes } }, ctx) => updateWebhook(ctx, id, changes),
  }),
  rotateWebhookSecret: t.field({
    type: CreatedWebhook,
    access: write,
    description: 'Gives a webhook a new secret. For a day, deliveries are signed with the old one too.',
    args: { id: t.arg.id({ required: true, description: 'Which webhook.' }) },
    resolve: (_root, { id }, ctx) => rotateWebhookSecret(ctx, id),
  }),
  deleteWebhook: t.id({
    access: write,
    description: 'Deletes a webhook and its deliveries. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which webhook.' }) },
    resolve: (_root, { id }, ctx) => deleteWebhook(ctx, id),
  }),
}))

changedField({
  type: 'Webhook',
  noun: 'webhooks',
  idKey: 'webhookId',
  access: read,
  description: 'Webhooks that are made, changed, disabled and deleted.',
  node: (t) =>
    t.prismaField({
      type: Webhook,
      nullable: true,
      description: 'The webhook as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.webhook.findFirst({ ...query, where: { AND: [{ id }, visibleWebhooks(ctx)] } }),
    }),
})
