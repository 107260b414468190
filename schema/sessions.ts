import { deleteSession } from '../src/modules/sessions/sessions.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connections.ts'

export const Session = builder.prismaObject('Session', {
  description: 'A device on which somebody is signed in.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the session. It is not the secret.' }),
    userAgent: t.exposeString('userAgent', { description: 'What the device said of itself at sign-in.' }),
    ip: t.exposeString('ip', { description: 'The address it signed in from.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it signed in.' }),
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
