import { z } from 'zod'
import { type CreatedKey, createKey, deleteKey, visibleKeys } from '../src/modules/keys/keys.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'

export const Key = builder.prismaObject('Key', {
  description: "A server's credential for one project.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the key. It is not the secret.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    scopes: t.exposeStringList('scopes', { description: 'What it may do.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends; null for never.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
})

export const KeyList = connectionOf(Key, 'Key')

const NewKey = builder.objectRef<CreatedKey>('CreatedKey').implement({
  description: 'A new key, with what is shown only now.',
  fields: (t) => ({
    key: t.prismaField({ type: Key, description: 'The key.', resolve: (_query, { key }) => key }),
    secret: t.exposeString('secret', {
      description: 'Send it as `Authorization: Bearer …`. Shown once: only its hash is kept.',
    }),
  }),
})

const KeyScope = builder.objectRef<{ name: string; description: string }>('KeyScope').implement({
  description: 'Something an API key can be allowed.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    description: t.exposeString('description', { description: 'What it opens.' }),
  }),
})

builder.queryField('keyScopes', (t) =>
  t.field({
    type: [KeyScope],
    access: { audience: ['owner'] },
    description: 'Everything an API key can be allowed.',
    resolve: () => Object.entries(scopes).map(([name, description]) => ({ name, description })),
  }),
)

builder.mutationFields((t) => ({
  createKey: t.fieldWithInput({
    typeOptions: { description: 'A new API key.' },
    type: NewKey,
    access: { audience: ['owner'] },
    description: 'Makes an API key for a project of yours.',
    input: {
      projectId: t.input.id({ required: true, description: 'Which project.' }),
      name: t.input.string({
        required: true,
        validate: z.string().trim().min(1).max(64),
        description: 'What people call it: 1 to 64 characters.',
      }),
      scopes: t.input.stringList({
        required: true,
        validate: z.array(z.string()).min(1).max(100),
        description: 'What it may do: see `keyScopes`.',
      }),
      expiresAt: t.input.field({ type: 'DateTime', description: 'When it ends; never, if left out.' }),
    },
    resolve: (_root, { input }, ctx) => createKey(ctx, input),
  }),
  deleteKey: t.id({
    access: { audience: ['owner'] },
    description: 'Deletes a key. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which key.' }) },
    resolve: (_root, { id }, ctx) => deleteKey(ctx, id),
  }),
}))

changedField({
  type: 'Key',
  noun: 'keys',
  idKey: 'keyId',
  access: { audience: ['console'] },
  description: 'API keys that are made and deleted.',
  node: (t) =>
    t.prismaField({
      type: Key,
      nullable: true,
      description: 'The key as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) => ctx.db.key.findFirst({ ...query, where: { AND: [{ id }, visibleKeys(ctx)] } }),
    }),
})
