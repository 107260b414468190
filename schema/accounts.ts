import { z } from 'zod'
import type { User as UserRow } from '../prisma/client/client.ts'
import { findAccount, signIn, signOut, signUp, updateAccount } from '../src/modules/accounts/accounts.ts'
import { confirmVerification, createVerification } from '../src/modules/accounts/verifications.ts'
import { countAudits } from '../src/modules/audits/page.ts'
import type { CreatedSession } from '../src/modules/sessions/sessions.ts'
import { visibleSessions } from '../src/modules/sessions/sessions.ts'
import { Activity, ActivityList, auditPage } from './audits.ts'
import { builder } from './builder.ts'
import { decidedChanges, decidedUser, requireFreeAddress } from './decided-user.ts'
import { email, password, personName } from './inputs.ts'
import { Session, SessionList } from './sessions.ts'

const everybody = { audience: ['visitor', 'client'] } as const

const Account = builder.prismaObject('User', {
  variant: 'Account',
  description: 'You, as you see yourself.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names you.' }),
    email: t.exposeString('email', { description: 'Your address.' }),
    name: t.exposeString('name', { description: 'What people call you.' }),
    emailVerified: t.exposeBoolean('emailVerified', {
      description: 'Whether you have shown that the address is yours.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When you signed up.' }),
    sessions: t.relatedConnection(
      'sessions',
      {
        type: Session,
        cursor: 'id',
        totalCount: true,
        description: 'Where you are signed in.',
        query: (_args, ctx) => ({ where: visibleSessions(ctx), orderBy: { id: 'asc' } }),
      },
      ...SessionList,
    ),
  }),
})

builder.prismaObjectField(Account, 'activity', (t) =>
  t.prismaConnection(
    {
      type: Activity,
      cursor: 'id',
      description: 'What you did here and what was done to your account, newest first.',
      totalCount: (_you, _args, ctx) => countAudits(ctx, 'own', {}),
      resolve: (query, _you, _args, ctx) => auditPage(ctx, 'own', {}, query),
    },
    ...ActivityList,
  ),
)

const SignedIn = builder.objectRef<CreatedSession>('SignedIn').implement({
  description: 'A new session, with what is shown only now.',
  fields: (t) => ({
    account: t.prismaField({ type: Account, description: 'You.', resolve: (_query, { user }): UserRow => user }),
    session: t.prismaField({ type: Session, description: 'The session.', resolve: (_query, { session }) => session }),
    secret: t.exposeString('secret', {
      description: 'Send it as `Authorization: Bearer …`. Shown once: only its hash is kept.',
    }),
  }),
})

builder.queryField('account', (t) =>
  t.prismaField({
    type: Account,
    nullable: true,
    access: everybody,
    description: 'You; null for a guest.',
    resolve: (_query, _root, _args, ctx) => findAccount(ctx),
  }),
)

const SentVerification = builder.objectRef<{ expiresAt: Date }>('SentVerification').implement({
  description: 'A mail with a link that proves whose an address is.',
  fields: (t) => ({
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'How long the link is good.' }),
  }),
})

builder.mutationFields((t) => ({
  signUp: t.fieldWithInput({
    typeOptions: { description: 'A new account.' },
    type: SignedIn,
    access: everybody,
    description: 'Makes an account, and signs in.',
    input: {
      email: t.input.string({
        required: true,
        validate: email,
        description: 'Your address. Nobody else may have it here.',
      }),
      password: t.input.string({ required: true, validate: password, description: '8 to 256 characters.' }),
      name: t.input.string({ validate: personName, description: 'What people call you, up to 128 characters.' }),
    },
    resolve: (_root, { input }, ctx, info) => signUp(ctx, input, (asked) => decidedUser(ctx, info, asked)),
  }),
  signIn: t.fieldWithInput({
    typeOptions: { description: 'Who you are.' },
    type: SignedIn,
    access: everybody,
    description: 'Signs in with address and password.',
    input: {
      email: t.input.string({ required: true, validate: email, description: 'Your address.' }),
      password: t.input.string({ required: true, validate: z.string().max(256), description: 'Your password.' }),
    },
    resolve: (_root, { input }, ctx) => signIn(ctx, input),
  }),
  signOut: t.id({
    access: everybody,
    description: 'Ends the session that asks. Answers its id.',
    resolve: (_root, _args, ctx) => signOut(ctx),
  }),
  updateAccount: t.prismaFieldWithInput({
    typeOptions: { description: 'Changes of your account. What is left out stays.' },
    type: Account,
    access: everybody,
    description: 'Changes your account. Another address is not verified; another password ends your other sessions.',
    input: {
      name: t.input.string({ validate: personName, description: 'What people call you, up to 128 characters.' }),
      email: t.input.string({ validate: email, description: 'Your address. Nobody else may have it here.' }),
      password: t.input.string({ validate: password, description: '8 to 256 characters.' }),
      currentPassword: t.input.string({
        validate: z.string().max(256),
        description: 'The password that you have. Another address or password needs it.',
      }),
    },
    resolve: async (_query, _root, { input }, ctx, info) => {
      if (input.email != null) await requireFreeAddress(ctx, info)
      return updateAccount(ctx, input, (id, asked) => decidedChanges(ctx, info, id, asked))
    },
  }),
  createVerification: t.field({
    type: SentVerification,
    access: everybody,
    description: 'Sends a mail whose link proves that your address is yours.',
    resolve: (_root, _args, ctx) => createVerification(ctx),
  }),
  confirmVerification: t.prismaFieldWithInput({
    typeOptions: { description: 'What the link of the mail holds.' },
    type: Account,
    access: everybody,
    description: 'Redeems the link of the mail, once. Needs no session.',
    input: {
      id: t.input.id({ required: true, description: 'The `id` in the link.' }),
      secret: t.input.string({
        required: true,
        validate: z.string().max(256),
        description: 'The `secret` in the link.',
      }),
    },
    resolve: (_query, _root, { input }, ctx) => confirmVerification(ctx, input),
  }),
}))
