import { deleteSession, visibleSessions } from '../src/modules/sessions/sessions.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'

export const Session = builder.prismaObject('Session', {
  description: 'A device on which somebody is signed in.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the session. It is not the secret.' }),
    userId: t.exposeID('userId', { description: 'Who is signed in.' }),
    userAgent: t.exposeString('userAgent', { description: 'What the device said of itself at sign-in.' }),
    ip: t.exposeString('ip', { description: 'The address it signed in from.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it signed in.' }),
    isCurrent: t.boolean({
      description: 'Whether it is the one that asks.',
      select: { id: true },
      resolve: ({ id }, _args, { actor }) => actor !== null && 'sessionId' in actor && actor.sessionId === id,
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the session ends by itself.' }),
  }),
})

export const SessionList = connectionOf(Session, 'Session')

builder.mutationField('deleteSession', (t) =>
  t.id({
    access: { audience: ['visitor', 'console', 'server', 'client'], scope: 'users.write' },
    description: 'Ends a session. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which session.' }) },
    resolve: (_root, { id }, ctx) => deleteSession(ctx, id),
  }),
)

changedField({
  type: 'Session',
  noun: 'sessions',
  idKey: 'sessionId',
  access: { audience: ['console', 'server'], scope: 'users.read' },
  description: 'Users who sign in and out. When a user is blocked or deleted, `userChanged` tells.',
  node: (t) =>
    t.prismaField({
      type: Session,
      nullable: true,
      description: 'The session as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.session.findFirst({ ...query, where: { AND: [{ id }, visibleSessions(ctx)] } }),
    }),
})
