/**
 * Chores with two or three rules for each right, permissions of the collection and of documents beside them, and what plain
 * JavaScript says of who may do what: told once more here, for tests to compare.
 */
import type { Actor } from '../context.ts'
import type { NewCollection } from './collections.ts'

export type Principal = { name: string; actor: Actor | null; id: string | null; roles: readonly string[] | null }

const user = (id: string, ...labels: string[]): Principal => ({
  name: id,
  actor: { kind: 'user', id, sessionId: `ses_${id}`, verified: false, labels },
  id,
  roles: ['any', 'users', 'users/unverified', `user:${id}`, ...labels.map((label) => `label:${label}`)],
})

export const principals: readonly Principal[] = [
  { name: 'guest', actor: null, id: null, roles: ['any', 'guests'] },
  user('ann'),
  user('bob', 'red'),
  user('cid', 'blue'),
  user('dan', 'red', 'blue'),
  {
    name: 'key',
    actor: { kind: 'key', id: 'key_1', scopes: new Set(['documents.read', 'documents.write']) },
    id: null,
    roles: null,
  },
]

export type Chore = {
  id: string
  owner: string | null
  open: boolean | null
  team: string
  rank: number
  grants: { right: 'READ' | 'UPDATE' | 'DELETE'; role: string }[]
}

const grants: Chore['grants'][] = [
  [],
  [{ right: 'READ', role: 'user:ann' }],
  [
    { right: 'READ', role: 'label:red' },
    { right: 'DELETE', role: 'label:red' },
  ],
  [
    { right: 'UPDATE', role: 'user:bob' },
    { right: 'DELETE', role: 'users' },
  ],
]

/** Every kind of chore once. */
export const chores: readonly Chore[] = ['ann', 'bob', null]
  .flatMap((owner) => [true, false, null].map((open) => ({ owner, open })))
  .flatMap((one) => ['east', 'west'].map((team) => ({ ...one, team })))
  .flatMap((one) => grants.map((own) => ({ ...one, grants: own })))
  .map((one, i) => ({ ...one, id: `c${String(i).padStart(2, '0')}`, rank: (i * 31) % 72 }))

export type Note = { id: string; author: string | null; pinned: boolean; chore: string }

/** One about each chore. */
export const notes: readonly Note[] = chores.map(({ id }, i) => ({
  id: `n${id}`,
  author: ['ann', 'bob', null][i % 3] ?? null,
  pinned: i % 5 === 0,
  chore: id,
}))

const mine = { owner: { eq: '$userId' } }

const restricted = { restricted: true, permissions: ['read:label:red', 'update:users'] }

export const collections: Record<string, NewCollection> = {
  teams: { permissions: ['read:any', 'update:users'], attributes: { name: { type: 'STRING' } } },
  chores: {
    documentPermissions: true,
    permissions: ['update:label:blue'],
    rules: [
      { right: 'read', role: 'any', where: { open: { eq: true } } },
      { right: 'read', role: 'users', where: mine },
      { right: 'read', role: 'label:red', where: { not: { or: [{ team: { eq: 'west' } }, { open: { eq: true } }] } } },
      { right: 'create', role: 'users', where: mine },
      { right: 'create', role: 'label:red', where: { team: { eq: 'east' }, or: [{ open: { isNull: true } }, mine] } },
      { right: 'update', role: 'users', where: mine },
      { right: 'update', role: 'label:red', where: { team: { eq: 'east' }, open: { isNull: true } } },
      { right: 'delete', role: 'users', where: { ...mine, open: { eq: false } } },
      { right: 'delete', role: 'label:red', where: { owner: { ne: '$userId' }, team: { eq: 'east' } } },
    ],
    attributes: {
      owner: { type: 'STRING' },
      open: { type: 'BOOLEAN' },
      rank: { type: 'INTEGER' },
      touched: { type: 'INTEGER' },
      secret: { type: 'STRING', ...restricted },
      place: { type: 'POINT', ...restricted },
      bag: { type: 'JSON', ...restricted },
      tags: { type: 'STRING', list: true, ...restricted },
      team: { type: 'RELATION', to: 'teams', reverseKey: 'chores' },
    },
    indexes: { words: { type: 'FULLTEXT', attributes: ['secret'], language: 'simple' } },
  },
  notes: {
    permissions: ['create:users'],
    rules: [
      { right: 'read', role: 'any', where: { pinned: { eq: true } } },
      { right: 'read', role: 'users', where: { author: { eq: '$userId' } } },
    ],
    attributes: {
      author: { type: 'STRING' },
      pinned: { type: 'BOOLEAN' },
      chore: { type: 'RELATION', to: 'chores', reverseKey: 'notes', onDelete: 'CASCADE' },
    },
  },
}

const holds = ({ roles }: Principal, role: string) => roles === null || roles.includes(role)
const isGranted = (who: Principal, { grants }: Chore, right: string) =>
  grants.some((one) => one.right === right && holds(who, one.role))
const isTheirs = (who: Principal, { owner }: Chore) => holds(who, 'users') && owner !== null && owner === who.id

export function mayReadChore(who: Principal, chore: Chore): boolean {
  if (who.roles === null || chore.open === true || isTheirs(who, chore) || isGranted(who, chore, 'READ')) return true
  return holds(who, 'label:red') && chore.team === 'east'
}

export function mayCreateChore(who: Principal, chore: Chore): boolean {
  if (who.roles === null || isTheirs(who, chore)) return true
  return holds(who, 'label:red') && chore.team === 'east' && chore.open === null
}

export function mayUpdateChore(who: Principal, chore: Chore): boolean {
  if (who.roles === null || holds(who, 'label:blue') || isTheirs(who, chore)) return true
  if (isGranted(who, chore, 'UPDATE')) return true
  return holds(who, 'label:red') && chore.team === 'east' && chore.open === null
}

export function mayDeleteChore(who: Principal, chore: Chore): boolean {
  if (who.roles === null || isGranted(who, chore, 'DELETE') || (isTheirs(who, chore) && chore.open === false))
    return true
  return holds(who, 'label:red') && chore.team === 'east' && chore.owner !== who.id
}

export function mayReadNote(who: Principal, { pinned, author }: Note): boolean {
  return who.roles === null || pinned || (holds(who, 'users') && author !== null && author === who.id)
}
