import { type ResolveCursorConnectionArgs, resolveCursorConnection } from '@pothos/plugin-relay'
import { z } from 'zod'
import { Invalid } from '../src/errors.ts'
import type { RunningSubscription } from '../src/modules/subscriptions/running.ts'
import { terminateSubscriptions, visibleSubscriptions } from '../src/modules/subscriptions/subscriptions.ts'
import { ActorKind, kindOf } from './actors.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connections.ts'

const Transport = builder.enumType('SubscriptionTransport', {
  description: 'How a subscription is connected.',
  values: {
    WEBSOCKET: { description: 'A WebSocket, with others perhaps.' },
    SSE: { description: 'Server-sent events.' },
  },
})

const ActiveSubscription = builder.objectRef<RunningSubscription>('ActiveSubscription').implement({
  description: 'A subscription that somebody has at this moment.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names it.' }),
    operationName: t.exposeString('operationName', {
      nullable: true,
      description: 'What the client calls its operation; null for one without a name.',
    }),
    transport: t.expose('transport', { type: Transport, description: 'How it is connected.' }),
    actorKind: t.field({ type: ActorKind, description: 'Whose it is.', resolve: ({ actorKind }) => kindOf(actorKind) }),
    actorId: t.exposeID('actorId', { nullable: true, description: 'The id of the caller; null for a guest.' }),
    sessionId: t.exposeID('sessionId', { nullable: true, description: 'Their session; null for keys and guests.' }),
    ip: t.exposeString('ip', { description: 'The address that it is connected from.' }),
    userAgent: t.exposeString('userAgent', { description: 'What the device says of itself.' }),
    node: t.exposeString('node', { description: 'Names the process that serves it.' }),
    startedAt: t.field({ type: 'DateTime', description: 'When it began.', resolve: ({ since }) => new Date(since) }),
  }),
})

const ActiveSubscriptionList = connectionOf(ActiveSubscription, 'ActiveSubscription')

const cursorOf = (id: string) => Buffer.from(`GPC:S:${id}`).toString('base64')
const idOf = (cursor: string) => Buffer.from(cursor, 'base64').toString().slice('GPC:S:'.length)

builder.queryField('activeSubscriptions', (t) =>
  t.connection(
    {
      type: ActiveSubscription,
      access: { audience: ['console', 'server'], scope: 'subscriptions.read' },
      description: 'Who listens to the project now, on all nodes, oldest first.',
      resolve: async (_root, args, ctx) => {
        const all = await visibleSubscriptions(ctx)
        const page = ({ before, after, limit, inverted }: ResolveCursorConnectionArgs) => {
          const within = all.filter(
            ({ id }) => (after == null || id > idOf(after)) && (before == null || id < idOf(before)),
          )
          return (inverted ? within.reverse() : within).slice(0, limit)
        }
        const options = { args, defaultSize: 25, maxSize: 100, toCursor: ({ id }: RunningSubscription) => cursorOf(id) }
        return { ...(await resolveCursorConnection(options, page)), totalCount: all.length }
      },
    },
    ...ActiveSubscriptionList,
  ),
)

builder.mutationField('terminateSubscriptions', (t) =>
  t.fieldWithInput({
    type: ['ID'],
    typeOptions: { description: 'Which subscriptions: all that match one of these.' },
    access: { audience: ['console', 'server'], scope: 'subscriptions.write' },
    description:
      'Ends subscriptions on whichever node they are, within a second. Each is told so by a last error, TERMINATED. Answers the ids of those that were meant.',
    input: {
      ids: t.input.idList({ validate: z.array(z.string()).max(1_000), description: 'These, up to 1,000.' }),
      actorId: t.input.id({ description: 'All of this user, account, key or function.' }),
      sessionId: t.input.id({ description: 'All of this session.' }),
    },
    resolve: (_root, { input }, ctx) => {
      if (input.ids == null && input.actorId == null && input.sessionId == null)
        throw new Invalid('Say which: by `ids`, `actorId` or `sessionId`.', ['input', 'ids'])
      return terminateSubscriptions(ctx, input)
    },
  }),
)
