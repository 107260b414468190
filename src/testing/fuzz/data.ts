/** What the two databases hold: collections of every kind, and five callers who may read different parts of them. */
import type { Actor } from '../../context.ts'
import type { NewCollection } from '../collections.ts'

export type Principal = {
  name: string
  actor: Actor | null
  /** What the rules of permissions look at, told once more here; null for whom no role limits. */
  roles: readonly string[] | null
}

const user = (id: string, verified: boolean, labels: readonly string[]): Principal => ({
  name: id,
  actor: { kind: 'user', id, sessionId: `ses_${id}`, verified, labels },
  roles: [
    'any',
    'users',
    verified ? 'users/verified' : 'users/unverified',
    `user:${id}`,
    ...labels.map((label) => `label:${label}`),
  ],
})

export const principals: readonly Principal[] = [
  { name: 'guest', actor: null, roles: ['any', 'guests'] },
  user('ann', true, []),
  user('bob', false, ['vip']),
  user('tia', false, ['press']),
  { name: 'key', actor: { kind: 'key', id: 'key_fuzz', scopes: new Set(['documents.read']) }, roles: null },
]

export type Kind = NewCollection & {
  rows: number
  /** Roles that read one document and roles that change it, document by document. */
  grants?: readonly { read: readonly string[]; write: readonly string[] }[]
  /** Values that decide who reads the row: the same in both databases. */
  fixed?: (i: number) => Record<string, unknown>
  /** Whether its rules let this caller read a row, told once more here. */
  ruled?: (principal: Principal, fixed: Record<string, unknown>) => boolean
}

const grants = [
  { read: ['any'], write: ['users'] },
  { read: ['users'], write: ['user:ann', 'label:vip'] },
  { read: ['user:ann'], write: ['user:ann'] },
  { read: ['user:bob'], write: ['user:bob'] },
  { read: ['label:vip', 'label:press'], write: ['label:vip', 'label:press'] },
  { read: ['guests', 'label:press'], write: ['label:press'] },
  { read: ['users/verified'], write: ['users/verified'] },
  { read: [], write: ['users'] },
  { read: ['any'], write: ['user:ann', 'label:press'] },
]

const restricted = (...readers: string[]) => ({
  restricted: true,
  permissions: readers.flatMap((role) => [`read:${role}`, `update:${role}`]),
})

export const kinds: Record<string, Kind> = {
  authors: {
    rows: 10,
    permissions: ['read:any', 'write:label:vip', 'create:users', 'update:users/verified'],
    attributes: {
      name: { type: 'STRING', required: true, size: 40 },
      age: { type: 'INTEGER' },
      salary: { type: 'INTEGER', ...restricted('label:vip') },
      diary: { type: 'STRING', ...restricted('users/verified', 'label:press') },
      born: { type: 'DATETIME' },
    },
  },
  judges: {
    rows: 5,
    permissions: ['read:any'],
    attributes: { name: { type: 'STRING' } },
  },
  tags: {
    rows: 6,
    permissions: ['read:any', 'write:users'],
    attributes: { label: { type: 'STRING', required: true, size: 20 }, hot: { type: 'BOOLEAN' } },
  },
  posts: {
    rows: 24,
    documentPermissions: true,
    permissions: ['create:users', 'read:label:vip'],
    grants,
    attributes: {
      title: { type: 'STRING', required: true, size: 40 },
      slug: { type: 'STRING', unique: true },
      views: { type: 'INTEGER', default: 0 },
      draft: { type: 'BOOLEAN' },
      published: { type: 'DATETIME' },
      note: { type: 'STRING', ...restricted('users/verified') },
      author: { type: 'RELATION', to: 'authors', reverseKey: 'posts', onDelete: 'SET_NULL' },
      previous: { type: 'RELATION', to: 'posts', reverseKey: 'next', onDelete: 'SET_NULL' },
      editor: { type: 'RELATION', to: 'authors', reverseKey: 'edited', onDelete: 'SET_NULL' },
      reviewer: {
        type: 'RELATION',
        to: 'judges',
        reverseKey: 'reviewed',
        onDelete: 'SET_NULL',
        ...restricted('label:press'),
      },
      tags: { type: 'RELATION', relation: 'MANY_TO_MANY', to: 'tags', reverseKey: 'posts' },
      similar: { type: 'RELATION', relation: 'MANY_TO_MANY', to: 'posts', reverseKey: 'similarTo' },
    },
    indexes: { words: { type: 'FULLTEXT', attributes: ['title', 'note'], language: 'simple' } },
  },
  profiles: {
    rows: 10,
    documentPermissions: true,
    permissions: ['create:users'],
    grants,
    attributes: {
      motto: { type: 'STRING' },
      diagnosis: { type: 'STRING', encrypted: true },
      author: {
        type: 'RELATION',
        relation: 'ONE_TO_ONE',
        to: 'authors',
        reverseKey: 'profile',
        onDelete: 'SET_NULL',
        unique: true,
      },
    },
  },
  errands: {
    rows: 16,
    permissions: [],
    rules: [
      { right: 'read', role: 'any', where: { open: { eq: true } } },
      ...['create', 'read', 'update', 'delete'].map((right) => {
        return { right, role: 'users', where: { owner: { eq: '$userId' } } }
      }),
    ],
    fixed: (i) => ({ owner: ['ann', 'bob', 'tia', 'eve'][i % 4], open: i % 5 === 0 }),
    ruled: ({ actor }, { owner, open }) => open === true || (actor?.kind === 'user' && actor.id === owner),
    attributes: {
      owner: { type: 'STRING' },
      open: { type: 'BOOLEAN' },
      what: { type: 'STRING' },
      cost: { type: 'DECIMAL' },
      post: { type: 'RELATION', to: 'posts', reverseKey: 'errands', onDelete: 'SET_NULL' },
    },
  },
  specimens: {
    rows: 18,
    documentPermissions: true,
    permissions: ['create:users'],
    grants,
    attributes: {
      text: { type: 'TEXT' },
      mail: { type: 'EMAIL' },
      site: { type: 'URL' },
      address: { type: 'IP' },
      code: { type: 'UUID' },
      colour: { type: 'ENUM', elements: ['red', 'green', 'blue'] },
      large: { type: 'BIGINT' },
      ratio: { type: 'FLOAT' },
      price: { type: 'DECIMAL', ...restricted('label:vip', 'label:press') },
      day: { type: 'DATE' },
      about: { type: 'JSON' },
      spot: { type: 'POINT' },
      way: { type: 'LINE' },
      area: { type: 'POLYGON' },
      sealed: { type: 'JSON', encrypted: true, ...restricted('label:vip') },
      words: { type: 'STRING', list: true, size: 40 },
      numbers: { type: 'INTEGER', list: true },
      longer: { type: 'STRING', computed: "text || '!'" },
    },
  },
  comments: {
    rows: 28,
    documentPermissions: true,
    permissions: ['create:users'],
    grants,
    attributes: {
      body: { type: 'STRING' },
      likes: { type: 'INTEGER', default: 0 },
      post: { type: 'RELATION', to: 'posts', reverseKey: 'comments', onDelete: 'CASCADE' },
      by: { type: 'RELATION', to: 'authors', reverseKey: 'comments', onDelete: 'SET_NULL' },
    },
  },
  memos: {
    rows: 12,
    permissions: ['read:label:press', 'write:label:press', 'read:label:vip'],
    attributes: {
      text: { type: 'STRING' },
      weight: { type: 'INTEGER' },
      post: { type: 'RELATION', to: 'posts', reverseKey: 'memos', onDelete: 'SET_NULL' },
    },
  },
  regions: {
    rows: 4,
    permissions: ['read:any', 'write:label:press', 'write:users/verified'],
    attributes: { name: { type: 'STRING', required: true } },
  },
  cities: {
    rows: 8,
    permissions: ['read:any', 'write:users'],
    attributes: {
      name: { type: 'STRING', required: true },
      region: { type: 'RELATION', to: 'regions', reverseKey: 'cities', onDelete: 'RESTRICT' },
    },
  },
  vaults: {
    rows: 8,
    attributes: {
      secret: { type: 'STRING' },
      post: { type: 'RELATION', to: 'posts', reverseKey: 'vaults', onDelete: 'CASCADE' },
    },
  },
}

/**
 * Channels that are there on purpose (docs/decisions/0004), which the data and the operations leave out: what they tell
 * is what they are for.
 */
export const excludedChannels = [
  'A unique value, or a one-to-one relation, that an unreadable document has: CONFLICT. Unreadable documents have the same unique values in both databases, or none.',
  'RESTRICT, and required relations, through unreadable documents: CONFLICT. All documents that point so are readable.',
  'A new document with the id of an unreadable one: CONFLICT. New documents have new ids, or those of readable ones.',
  'A delete that, through an unreadable document or relation, deletes or releases a readable document (whose updatedAt tells). Cascades are one level deep, and what unreadable relations point at cannot be deleted.',
  'More than 1,000 dependent documents of one delete: LIMIT_EXCEEDED. There are fewer.',
  'How long an answer takes.',
]
