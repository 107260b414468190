import { type Documents, openDocuments } from './documents.ts'

const relation = (to: string, reverseKey: string, more = {}) => ({ type: 'RELATION' as const, to, reverseKey, ...more })
const own = { documentPermissions: true, permissions: ['create:users'] }

/** Relations of every kind: to one, to many, one to one, with links, required, to itself. */
export function openRelations(): Promise<Documents> {
  return openDocuments({
    authors: { permissions: ['read:any', 'create:users'], attributes: { name: { type: 'STRING', required: true } } },
    profiles: {
      ...own,
      attributes: { text: { type: 'STRING' }, author: relation('authors', 'profile', { relation: 'ONE_TO_ONE' }) },
    },
    tags: { ...own, attributes: { name: { type: 'STRING', unique: true } } },
    posts: {
      ...own,
      attributes: {
        title: { type: 'STRING', required: true },
        author: relation('authors', 'posts'),
        tags: relation('tags', 'posts', { relation: 'MANY_TO_MANY' }),
        secret: relation('tags', 'secrets', { relation: 'MANY_TO_MANY', restricted: true, permissions: ['read:any'] }),
      },
    },
    comments: {
      ...own,
      attributes: {
        body: { type: 'STRING' },
        post: relation('posts', 'comments', { required: true, onDelete: 'CASCADE' }),
        replyTo: relation('comments', 'replies'),
      },
    },
    nodes: { attributes: { parent: relation('nodes', 'children') } },
  })
}
