import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hook, type HookTarget, hooksFor, matchesHook, whyNotHook } from './hooks.ts'

const post: HookTarget = {
  noun: 'documents',
  actions: ['before-create'],
  database: ['db_1'],
  collection: ['posts', 'col_1'],
}

test('patterns have the grammar of events, without the id of a document', () => {
  const right = [
    '*',
    '*.*',
    'documents.*',
    '*.before-create',
    'documents.before-delete',
    'users.before-create',
    'databases.*.collections.*.documents.*',
    'databases.blog.collections.posts.documents.before-update',
  ]
  for (const on of right) assert.equal(whyNotHook(on), null, on)
  const wrong = [
    '',
    'documents',
    'documents.created',
    'users.before-delete',
    'mails.before-create',
    'mails.*',
    'constructor.*',
    'constructor.before-create',
    'toString.before-create',
    'databases.blog.collections.posts.documents.p1.before-update',
    'databases.blog.collections.posts.comments.before-update',
    'a b.before-create',
    `${'x'.repeat(65)}.before-create`,
  ]
  for (const on of wrong) assert.equal(typeof whyNotHook(on), 'string', on)
})

test('a pattern matches by key and by id, and nothing else', () => {
  const matching = [
    '*',
    'documents.*',
    'databases.db_1.collections.posts.documents.before-create',
    'databases.*.collections.col_1.documents.*',
  ]
  for (const on of matching) assert.equal(matchesHook(on, post), true, on)
  const others = [
    'users.before-create',
    'documents.before-update',
    'databases.db_2.collections.posts.documents.before-create',
    'databases.*.collections.notes.documents.*',
  ]
  for (const on of others) assert.equal(matchesHook(on, post), false, on)
  const user = { noun: 'users', actions: ['before-create'] } as const
  assert.equal(matchesHook('*.before-create', user), true)
  assert.equal(matchesHook('databases.*.collections.*.documents.before-create', user), false)
})

test('a function decides once, by its first rule', () => {
  const hook = (functionId: string, on: string): Hook => ({ functionId, on, deadlineMs: 1_000, onMissed: 'REJECT' })
  const hooks = [hook('b', 'users.*'), hook('b', '*'), hook('a', '*'), hook('b', 'documents.*')]
  assert.deepEqual(hooksFor(hooks, post), [hooks[1], hooks[2]])
})
