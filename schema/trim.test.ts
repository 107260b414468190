import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAbstractType, isObjectType } from 'graphql'
import type { Actor, Context } from '../src/context.ts'
import { type Scope, scopes } from '../src/modules/keys/scopes.ts'
import { schema } from './index.ts'
import { trim } from './trim.ts'

const every = Object.keys(scopes) as Scope[]
const key = (scopes: readonly Scope[]): Actor => ({ kind: 'key', id: 'key_1', scopes: new Set(scopes) })
const account: Actor = { kind: 'account', id: 'usr_1', sessionId: 'ses_1', role: 'OWNER' }
const user: Actor = { kind: 'user', id: 'usr_2', sessionId: 'ses_2', verified: true, labels: [] }

const inProject: (Actor | null)[] = [
  account,
  user,
  null,
  key([]),
  key(every),
  ...every.map((scope) => key([scope])),
  ...every.map((scope) => key(every.filter((one) => one !== scope))),
]
const callers = [
  ...[account, null].map((actor) => ({ projectId: 'console', actor })),
  ...inProject.map((actor) => ({ projectId: 'prj_1', actor })),
] as Context[]

test('the API has no interface and no union, which trimming would leave whole', () => {
  const abstract = Object.values(schema.getTypeMap()).filter(isAbstractType)
  assert.deepEqual(
    abstract.map(({ name }) => name),
    [],
  )
})

test('no caller is shown a type without fields', () => {
  for (const ctx of callers) {
    const types = Object.values(trim(schema, ctx).getTypeMap()).filter(isObjectType)
    const empty = types.filter((type) => Object.keys(type.getFields()).length === 0)
    assert.deepEqual(
      empty.map(({ name }) => name),
      [],
      JSON.stringify(ctx.actor),
    )
  }
})
