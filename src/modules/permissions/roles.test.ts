import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '../../context.ts'
import { isRole, parsePermission, rolesOf } from './roles.ts'

test('the grammar of roles', () => {
  const good = [
    'any',
    'guests',
    'users',
    'users/verified',
    'users/unverified',
    'user:u1',
    'label:vip',
    'team:t1',
    'team:t1/owner',
    'member:m1',
  ]
  for (const role of good) assert.equal(isRole(role), true, role)
  const bad = [
    '',
    'all',
    'any ',
    'users/',
    'user:',
    'user:a b',
    'user:*',
    "user:'",
    'label:',
    'team:t/',
    'any\n',
    'USERS',
    'user:\0',
    `user:${'x'.repeat(65)}`,
  ]
  for (const role of bad) assert.equal(isRole(role), false, JSON.stringify(role))
})

test('a permission is a right and a role', () => {
  assert.deepEqual(parsePermission('read:users'), [{ right: 'read', role: 'users' }])
  assert.deepEqual(parsePermission('create:team:a/b'), [{ right: 'create', role: 'team:a/b' }])
  assert.deepEqual(
    parsePermission('write:any').map(({ right }) => right),
    ['create', 'update', 'delete'],
  )
  for (const text of ['read', 'read:', 'own:any', ':any', 'any', '__proto__:any'])
    assert.deepEqual(parsePermission(text), [], text)
})

test('who holds which roles', () => {
  const rolesFor = (actor: Actor | null) => rolesOf({ actor })
  assert.deepEqual(rolesFor(null), ['any', 'guests'])
  assert.deepEqual(rolesFor({ kind: 'account', id: 'a', sessionId: 's', role: null }), ['any', 'guests'])
  assert.equal(rolesFor({ kind: 'account', id: 'a', sessionId: 's', role: 'DEVELOPER' }), null)
  assert.equal(rolesFor({ kind: 'key', id: 'k', scopes: new Set() }), null)
  const user = { kind: 'user', id: 'u', sessionId: 's', verified: true, labels: ['vip'] } as const
  assert.deepEqual(rolesFor(user), ['any', 'users', 'users/verified', 'user:u', 'label:vip'])
  assert.ok(rolesFor({ ...user, verified: false })?.includes('users/unverified'))
})
