import { z } from 'zod'
import type { Prisma } from '../prisma/client/client.ts'
import { UserStatus as Status } from '../prisma/client/enums.ts'
import type { Context } from '../src/context.ts'
import { visibleSessions } from '../src/modules/sessions/sessions.ts'
import { createUser, deleteUser, getUser, updateUser, visibleUsers } from '../src/modules/users/users.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { decidedChanges, decidedUser } from './decided-user.ts'
import { email, password, personName } from './inputs.ts'
import { Session, SessionList } from './sessions.ts'

const read = { audience: ['console', 'server'], scope: 'users.read' } as const
const write = { audience: ['console', 'server'], scope: 'users.write' } as const

const UserStatus = builder.enumType('UserStatus', {
  description: 'Whether a user may sign in.',
  values: {
    [Status.ACTIVE]: { description: 'May sign in.' },
    [Status.BLOCKED]: { description: 'May not sign in, and is signed out everywhere.' },
  },
})

const User = builder.prismaObject('User', {
  description: 'An end user of the project.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the user: `user:{id}` is their role.' }),
    email: t.exposeString('email', { description: 'Their address.' }),
    name: t.exposeString('name', { description: 'What people call them.' }),
    emailVerified: t.exposeBoolean('emailVerified', {
      description: 'Whether they have shown that the address is theirs.',
    }),
    labels: t.exposeStringList('labels', { description: 'Each makes a role: `label:{name}`.' }),
    status: t.expose('status', { type: UserStatus, description: 'Whether they may sign in.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they signed up.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When they were last changed.' }),
    sessions: t.relatedConnection(
      'sessions',
      {
        type: Session,
        cursor: 'id',
        totalCount: true,
        description: 'Where they are signed in.',
        query: (_args, ctx) => ({ where: visibleSessions(ctx), orderBy: { id: 'asc' } }),
      },
      ...SessionList,
    ),
  }),
})

builder.prismaObjectField(Session, 'user', (t) =>
  t.relation('user', { type: User, access: read, description: 'Who is signed in.' }),
)

export const UserList = connectionOf(User, 'User')

const UserWhere = builder.inputType('UserWhere', {
  description: 'Which users: those for whom everything that is said here holds.',
  fields: (t) => ({
    search: t.string({
      validate: z.string().max(256),
      description: 'In whose address or name this text stands, in large or small letters.',
    }),
    email: t.string({ validate: email, description: 'Who have this address.' }),
    label: t.string({ description: 'Who have this label.' }),
    status: t.field({ type: UserStatus, description: 'Who have this status.' }),
    emailVerified: t.boolean({ description: 'Whether they have shown that the address is theirs.' }),
  }),
})

function wanted(ctx: Context, where: typeof UserWhere.$inferInput | null | undefined): Prisma.UserWhereInput {
  const { search, email, label, status, emailVerified } = where ?? {}
  // A pattern of LIKE, in which these stand for others.
  const text = { contains: search?.replace(/[\\%_]/g, '\\$&') ?? '', mode: 'insensitive' } as const
  const asked = {
    ...(search && { OR: [{ email: text }, { name: text }] }),
    ...(email != null && { email }),
    ...(label != null && { labels: { has: label } }),
    ...(status != null && { status }),
    ...(emailVerified != null && { emailVerified }),
  }
  return { AND: [asked, visibleUsers(ctx)] }
}

builder.queryFields((t) => ({
  user: t.prismaField({
    type: User,
    nullable: true,
    access: read,
    description: 'One user; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which user.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.user.findFirst({ ...query, where: { AND: [{ id }, visibleUsers(ctx)] } }),
  }),
  users: t.prismaConnection(
    {
      type: User,
      cursor: 'id',
      access: read,
      description: 'The users of the project, oldest first.',
      args: { where: t.arg({ type: UserWhere, description: 'Which; all, if left out.' }) },
      totalCount: (_root, { where }, ctx) => ctx.db.user.count({ where: wanted(ctx, where) }),
      resolve: (query, _root, { where }, ctx) =>
        ctx.db.user.findMany({ ...query, where: wanted(ctx, where), orderBy: { id: 'asc' } }),
    },
    ...UserList,
  ),
}))

const label = z.string().regex(/^[A-Za-z0-9]{1,36}$/, 'A label has 1 to 36 letters and digits.')

builder.mutationFields((t) => ({
  createUser: t.prismaFieldWithInput({
    typeOptions: { description: 'A new user.' },
    type: User,
    access: write,
    description: 'Adds a user, without signing them in.',
    input: {
      email: t.input.string({
        required: true,
        validate: email,
        description: 'Their address. Nobody else may have it here.',
      }),
      password: t.input.string({ required: true, validate: password, description: '8 to 256 characters.' }),
      name: t.input.string({ validate: personName, description: 'What people call them, up to 128 characters.' }),
    },
    resolve: async (_query, _root, { input }, ctx, info) => createUser(ctx, await decidedUser(ctx, info, input)),
  }),
  updateUser: t.prismaFieldWithInput({
    typeOptions: { description: 'Changes of a user. What is left out stays.' },
    type: User,
    access: write,
    description: 'Changes a user. What is left out stays.',
    input: {
      id: t.input.id({ required: true, description: 'Which user.' }),
      name: t.input.string({ validate: personName, description: 'What people call them, up to 128 characters.' }),
      email: t.input.string({
        validate: email,
        description: 'Their address. Another one is not verified, unless `emailVerified` says so.',
      }),
      emailVerified: t.input.boolean({ description: 'Whether the address is known to be theirs.' }),
      password: t.input.string({
        validate: password,
        description: '8 to 256 characters. Another password ends their sessions.',
      }),
      labels: t.input.stringList({ validate: z.array(label).max(100), description: 'Their labels, up to 100.' }),
      status: t.input.field({ type: UserStatus, description: 'Whether they may sign in.' }),
    },
    resolve: async (_query, _root, { input: { id, email, name, ...changes } }, ctx, info) => {
      // Nobody is asked about one who is not there.
      await getUser(ctx, id)
      return updateUser(ctx, id, { ...changes, ...(await decidedChanges(ctx, info, id, { email, name })) })
    },
  }),
  deleteUser: t.id({
    access: write,
    description: 'Deletes a user and ends their sessions. Answers their id.',
    args: { id: t.arg.id({ required: true, description: 'Which user.' }) },
    resolve: (_root, { id }, ctx) => deleteUser(ctx, id),
  }),
}))

changedField({
  type: 'User',
  noun: 'users',
  idKey: 'userId',
  access: read,
  description: 'Users who sign up, are changed, blocked or deleted.',
  node: (t) =>
    t.prismaField({
      type: User,
      nullable: true,
      description: 'The user as they are now; null once they are gone.',
      resolve: (query, { id, ctx }) => ctx.db.user.findFirst({ ...query, where: { AND: [{ id }, visibleUsers(ctx)] } }),
    }),
})
