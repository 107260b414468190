import { MemberRole as Role } from '../prisma/client/enums.ts'
import { addMember, removeMember, updateMember, visibleMembers } from '../src/modules/members/members.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { email } from './inputs.ts'

const MemberRole = builder.enumType('MemberRole', {
  description: 'What an account may do in a project.',
  values: {
    [Role.OWNER]: { description: 'Everything.' },
    [Role.DEVELOPER]: {
      description:
        'Everything but what only owners may: members, the sender, limits, rules of presence, how long the audit log is kept, and the end of the project.',
    },
  },
})

export const Member = builder.prismaObject('Member', {
  description: 'An account that works on a project.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the membership.' }),
    role: t.expose('role', { type: MemberRole, description: 'What it may do.' }),
    name: t.string({ description: "The account's name.", select: { user: true }, resolve: ({ user }) => user.name }),
    email: t.string({
      description: "The account's address.",
      select: { user: true },
      resolve: ({ user }) => user.email,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it joined the project.' }),
  }),
})

export const MemberList = connectionOf(Member, 'Member')

builder.mutationFields((t) => ({
  addMember: t.prismaFieldWithInput({
    typeOptions: { description: 'Who is to work on which project.' },
    type: Member,
    access: { audience: ['owner'] },
    description:
      'Lets another account work on a project that you own. Where the server sends mails, the account has to have verified its address.',
    input: {
      projectId: t.input.id({ required: true, description: 'Which project.' }),
      email: t.input.string({ required: true, validate: email, description: 'The address of the account.' }),
      role: t.input.field({ type: MemberRole, required: true, description: 'What it may do.' }),
    },
    resolve: async (query, _root, { input }, ctx) => {
      const { id } = await addMember(ctx, input)
      return ctx.db.member.findUniqueOrThrow({ ...query, where: { id } })
    },
  }),
  updateMember: t.prismaFieldWithInput({
    typeOptions: { description: 'Changes of a membership.' },
    type: Member,
    access: { audience: ['owner'] },
    description: 'Gives a member of a project that you own another role. The last owner stays one.',
    input: {
      id: t.input.id({ required: true, description: 'Which membership.' }),
      role: t.input.field({ type: MemberRole, required: true, description: 'What it may do.' }),
    },
    resolve: async (query, _root, { input: { id, role } }, ctx) => {
      await updateMember(ctx, id, role)
      return ctx.db.member.findUniqueOrThrow({ ...query, where: { id } })
    },
  }),
  removeMember: t.id({
    access: { audience: ['owner'] },
    description: 'Ends a membership. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which membership.' }) },
    resolve: (_root, { id }, ctx) => removeMember(ctx, id),
  }),
}))

changedField({
  type: 'Member',
  noun: 'members',
  idKey: 'memberId',
  access: { audience: ['console'] },
  description: 'Accounts that join and leave the project, or are given another role.',
  node: (t) =>
    t.prismaField({
      type: Member,
      nullable: true,
      description: 'The membership as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.member.findFirst({ ...query, where: { AND: [{ id }, visibleMembers(ctx)] } }),
    }),
})
