/** What the run's project holds: three related collections, one of them with permissions of documents, all with rules. */
import type { NewCollection } from '../collections.ts'

export type Name = 'authors' | 'posts' | 'comments'

export const names: readonly Name[] = ['authors', 'posts', 'comments']

/** What each is called in the API. */
export const types: Record<Name, { one: string; type: string }> = {
  authors: { one: 'author', type: 'Author' },
  posts: { one: 'post', type: 'Post' },
  comments: { one: 'comment', type: 'Comment' },
}

/** A document that everybody may read whatever the permissions are, and that every filter lets through. */
export const marker = 'marker'

/** The first of the rules, always: it keeps the collection in everybody's schema, too. */
export const markerRule = { right: 'read', role: 'any', where: { title: { eq: marker } } }

/** Values that permissions take in turn. */
export const pools = {
  permissions: [
    [],
    ['read:any'],
    ['read:users'],
    ['read:guests'],
    ['read:label:vip'],
    ['read:user:bob', 'read:label:staff'],
  ],
  rules: [
    [],
    [{ right: 'read', role: 'users', where: { owner: { eq: '$userId' } } }],
    [{ right: 'read', role: 'any', where: { draft: { eq: false } } }],
    [{ right: 'read', role: 'label:vip', where: { views: { gt: 2 } } }],
    [
      { right: 'read', role: 'users/verified', where: { title: { in: ['x', 'y'] } } },
      { right: 'read', role: 'guests', where: { not: { draft: { eq: true } } } },
    ],
  ],
  readers: [['users'], ['label:vip'], ['users/verified'], ['user:ann', 'label:staff']],
  user: [[], ['vip'], ['staff'], ['verified'], ['vip', 'verified'], ['vip', 'staff']],
}

/** Fields that not everybody may read. A guest never may, and is not shown them. */
export const restrictedFields: Record<Name, readonly string[]> = {
  authors: ['note'],
  posts: ['note', 'editor'],
  comments: ['note'],
}

const restricted = { restricted: true, permissions: ['read:users'] }

const own: NewCollection['attributes'] = {
  title: { type: 'STRING', required: true, size: 20 },
  views: { type: 'INTEGER' },
  draft: { type: 'BOOLEAN' },
  owner: { type: 'STRING' },
  note: { type: 'STRING', ...restricted },
}

const rules = [markerRule]

export const collections: Record<Name, NewCollection> = {
  authors: { permissions: ['read:any'], rules, attributes: own },
  posts: {
    documentPermissions: true,
    permissions: ['read:label:staff'],
    rules,
    attributes: {
      ...own,
      author: { type: 'RELATION', to: 'authors', reverseKey: 'posts', onDelete: 'SET_NULL' },
      editor: { type: 'RELATION', to: 'authors', reverseKey: 'edited', onDelete: 'SET_NULL', ...restricted },
    },
  },
  comments: {
    permissions: ['read:users'],
    rules,
    attributes: { ...own, post: { type: 'RELATION', to: 'posts', reverseKey: 'comments', onDelete: 'CASCADE' } },
  },
}
