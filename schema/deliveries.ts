import { DeliveryStatus as Status } from '../prisma/client/enums.ts'
import { visibleDeliveries } from '../src/modules/deliveries/deliveries.ts'
import { pingWebhook } from '../src/modules/deliveries/pings.ts'
import { type Replayed, replayDeliveries, replayDelivery, replayLimit } from '../src/modules/deliveries/replays.ts'
import { builder } from './builder.ts'
import { Header, headersOf } from './calls.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'

const read = { audience: ['console', 'server'], scope: 'webhooks.read' } as const
const write = { audience: ['console', 'server'], scope: 'webhooks.write' } as const

const DeliveryStatus = builder.enumType('DeliveryStatus', {
  description: 'How a delivery stands.',
  values: {
    [Status.PENDING]: { description: 'Not yet taken; it is tried again.' },
    [Status.SUCCEEDED]: { description: 'Taken: the receiver answered 2xx.' },
    [Status.FAILED]: { description: 'Given up. It can be replayed.' },
  },
})

builder.prismaObject('DeliveryAttempt', {
  description: 'One request of a delivery, and what came back.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first.' }),
    requestHeaders: t.field({
      type: [Header],
      description: 'What was sent, by name. Your own headers and the login are kept as `***`.',
      select: { requestHeaders: true },
      resolve: ({ requestHeaders }) => headersOf(requestHeaders),
    }),
    responseHeaders: t.field({
      type: [Header],
      description: 'What came back, by name: up to 64, each up to 1,024 characters.',
      select: { responseHeaders: true },
      resolve: ({ responseHeaders }) => headersOf(responseHeaders),
    }),
    responseStatus: t.exposeInt('responseStatus', {
      nullable: true,
      description: 'The HTTP status; null when there was no answer.',
    }),
    responseBody: t.exposeString('responseBody', { nullable: true, description: 'The beginning of the answer.' }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'What went wrong, unless `responseStatus` says it.',
    }),
    durationMs: t.exposeInt('durationMs', { description: 'How long it took, in milliseconds.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it began.' }),
  }),
})

export const Delivery = builder.prismaObject('Delivery', {
  description: 'One event on its way to one webhook.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the delivery.' }),
    webhookId: t.exposeID('webhookId', { description: 'To which webhook.' }),
    webhook: t.relation('webhook', { description: 'The webhook that it is to.' }),
    eventId: t.exposeID('eventId', { description: 'The event, and the `webhook-id` of each request.' }),
    eventName: t.exposeString('eventName', { description: "The event's full name." }),
    body: t.exposeString('body', { description: 'Exactly what is signed and sent.' }),
    status: t.expose('status', { type: DeliveryStatus, description: 'How it stands.' }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the event reached it.' }),
    attempts: t.relation('attempts', {
      description: 'Every request so far, oldest first.',
      query: () => ({ orderBy: { number: 'asc' } }),
    }),
  }),
})

export const DeliveryWhere = builder.inputType('DeliveryWhere', {
  description: 'Which deliveries: those for which everything that is said here holds.',
  fields: (t) => ({
    status: t.field({ type: DeliveryStatus, description: 'That have this status.' }),
  }),
})

/** Deliveries of documents are shown to whoever has it. */
export const ofDocuments = { extensions: { beside: 'documents.read' } }

export const DeliveryList = connectionOf(Delivery, 'Delivery')

builder.queryField('delivery', (t) =>
  t.prismaField({
    type: Delivery,
    nullable: true,
    access: read,
    description: 'One delivery; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which delivery.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.delivery.findFirst({ ...query, where: { AND: [{ id }, visibleDeliveries(ctx)] } }),
  }),
)

const ReplayedDeliveries = builder.objectRef<Replayed>('ReplayedDeliveries').implement({
  description: 'What a call has replayed.',
  fields: (t) => ({
    count: t.exposeInt('count', { description: 'How many deliveries are sent again.' }),
    hasMore: t.exposeBoolean('hasMore', { description: 'Whether there were more: call again for those.' }),
  }),
})

builder.mutationFields((t) => ({
  replayDelivery: t.prismaField({
    type: Delivery,
    access: write,
    description: 'Sends a delivery again, now, with the same id and body.',
    args: { id: t.arg.id({ required: true, description: 'Which delivery.' }) },
    resolve: (_query, _root, { id }, ctx) => replayDelivery(ctx, id),
  }),
  replayDeliveries: t.fieldWithInput({
    typeOptions: { description: 'Whose deliveries, and of which time.' },
    type: ReplayedDeliveries,
    access: write,
    description: `Sends the failed deliveries of a time again, now, the oldest ${replayLimit} of them.`,
    input: {
      webhookId: t.input.id({ required: true, description: 'Of which webhook.' }),
      from: t.input.field({ type: 'DateTime', required: true, description: 'The first moment of that time.' }),
      to: t.input.field({ type: 'DateTime', required: true, description: 'The first moment after it.' }),
    },
    resolve: (_root, { input }, ctx) => replayDeliveries(ctx, input),
  }),
  pingWebhook: t.prismaField({
    type: Delivery,
    access: write,
    description: 'Sends the event `webhooks.pinged` to this webhook alone. Read its delivery again to see how it went.',
    args: { id: t.arg.id({ required: true, description: 'Which webhook.' }) },
    resolve: (_query, _root, { id }, ctx) => pingWebhook(ctx, id),
  }),
}))

changedField({
  type: 'Delivery',
  noun: 'deliveries',
  idKey: 'deliveryId',
  access: read,
  description: 'Deliveries that have come to their end, or are asked for again.',
  node: (t) =>
    t.prismaField({
      ...ofDocuments,
      type: Delivery,
      nullable: true,
      description: 'The delivery as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.delivery.findFirst({ ...query, where: { AND: [{ id }, visibleDeliveries(ctx)] } }),
    }),
})
