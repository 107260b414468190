import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { authenticate } from '../src/authenticate.ts'
import type { Actor, Context } from '../src/context.ts'
import { createGraphql } from '../src/server.ts'
import { answered } from '../src/testing/answered.ts'
import { createWorld } from '../src/testing/world.ts'
import { createSchemas } from './schemas.ts'

const world = await createWorld()
const graphql = createGraphql(world.app, createSchemas(world.app))
after(async () => {
  await graphql.close()
  await world.close()
})
const { owner } = await world.createProject()

const wordsFor = async (ctx: Context, query: string) => {
  const { errors } = await answered(graphql, ctx, Buffer.from(JSON.stringify({ query })))
  return errors.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`)
}

test('whoever asks for what is not there for them is told why that may be, whether it is there for others or not', async () => {
  const callers: [Actor | null, string][] = [
    [null, 'You have sent no credential, and see only what needs none.'],
    [{ kind: 'key', id: 'key_1', scopes: new Set(['tasks.read']) }, 'A key sees only what its scopes open.'],
    [
      { kind: 'user', id: 'usr_1', sessionId: 'ses_1', verified: true, labels: [] },
      'You see only what your roles open.',
    ],
  ]
  for (const [actor, why] of callers) {
    const ctx = world.context(owner.projectId, actor)
    for (const field of ['webhooks', 'nonsense'])
      assert.deepEqual(await wordsFor(ctx, `{ ${field} { nodes { id } } }`), [
        `INVALID : Cannot query field "${field}" on type "Query". ${why}`,
      ])
  }
  assert.deepEqual(await wordsFor(owner, '{ nonsense }'), ['INVALID : Cannot query field "nonsense" on type "Query".'])
  // So is a field of another type: of executions, who runs the project sees more.
  const guest = world.context(owner.projectId, null)
  for (const field of ['logs', 'nonsense'])
    assert.deepEqual(await wordsFor(guest, `{ execution(id: "x") { ${field} } }`), [
      `INVALID : Cannot query field "${field}" on type "Execution". You have sent no credential, and see only what needs none.`,
    ])
})

test('a key that may change nothing is told so before anything runs', async () => {
  const key = world.context(owner.projectId, { kind: 'key', id: 'key_1', scopes: new Set(['tasks.read']) })
  assert.deepEqual(await wordsFor(key, 'mutation { deleteTask(id: "x") }'), [
    'INVALID : There is no mutation that you may use. A key sees only what its scopes open.',
  ])
})

test('a secret without its scheme is told apart from one that is not valid', async () => {
  const wordsOf = (authorization: string) =>
    authenticate(world.app, {
      projectId: owner.projectId,
      authorization,
      requestId: 'r',
      ip: '::1',
      userAgent: '',
    }).then(
      () => '',
      (error: Error) => `${error.name}: ${error.message}`,
    )
  const scheme = 'Unauthenticated: A credential is sent as `Bearer`, a space, and the secret.'
  for (const text of [`ses_${'x'.repeat(43)}`, 'Basic YTpi', 'Bearer']) assert.equal(await wordsOf(text), scheme, text)
  const invalid = 'Unauthenticated: This credential is not valid here, or no longer.'
  for (const text of [`Bearer ses_${'x'.repeat(43)}`, 'bearer nonsense'])
    assert.equal(await wordsOf(text), invalid, text)
})

const wrong: Record<string, string> = {
  'createTask(input: { name: "", url: "https://example.org", schedule: "0 3 * * *" }) { id }':
    'INVALID input.name: This must have at least 1 character.',
  'createTask(input: { name: "x", url: "https://example.org", schedule: "0 3 * * *", timeoutMs: 5 }) { id }':
    'INVALID input.timeoutMs: This must be at least 1,000.',
  'createFunction(input: { name: "x", runtime: "javascript", memoryMb: 4096 }) { id }':
    'INVALID input.memoryMb: This must be at most 1,024.',
  'createFunction(input: { name: "x", runtime: "javascript", events: ["users.*", "user.created"] }) { id }':
    'INVALID input.events.1: “user.created” names no event that there is, as `documents.updated` and `users.*` do.',
  'createFunction(input: { name: "x", runtime: "javascript", scopes: ["documents"] }) { id }':
    'INVALID input.scopes.0: “documents” is not a scope, as `documents.read` is.',
  'createFunction(input: { name: "x", runtime: "javascript", execute: ["any", "everyone"] }) { id }':
    'INVALID input.execute.1: “everyone” is not a role: that is `any`, `guests`, `users`, `users/verified`, `user:ID`, `label:NAME`, `team:ID`, `team:ID/ROLE` or `member:ID`.',
  'createWebhook(input: { name: "x", url: "https://example.org", events: [] }) { secret }':
    'INVALID input.events: This must have at least 1 element.',
  'createExecution(input: { functionId: "fun_1", scheduledAt: "tomorrow" }) { id }':
    'INVALID input.scheduledAt: This is not a moment in ISO 8601 with its time zone, as "2026-11-23T12:00:00Z".',
}

test('what is wrong is told in plain words, with its place', async () => {
  for (const [mutation, words] of Object.entries(wrong))
    assert.deepEqual(await wordsFor(owner, `mutation { ${mutation} }`), [words])
})

test('a moment that PostgreSQL has not is none', async () => {
  for (const moment of ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-12:00'])
    assert.deepEqual(await wordsFor(owner, `{ executions(where: { from: "${moment}" }) { totalCount } }`), [
      'INVALID where.from: A moment lies between the years 1 and 9999.',
    ])
})
