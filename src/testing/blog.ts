import type { Actor, Context } from '../context.ts'
import { createCollections } from './collections.ts'
import type { World } from './world.ts'

export type Blog = {
  projectId: string
  owner: Context
  ids: Record<string, string>
  as: (name: string | null, labels?: string[]) => Context
  key: (...scopes: string[]) => Context
}

/**
 * A project with authors, posts and comments. Anybody reads authors; posts and comments carry permissions of their own,
 * users create them; nobody but keys and owners sees notes.
 */
export async function createBlog(world: World): Promise<Blog> {
  const { projectId, owner } = await world.createProject()
  const ids = await createCollections(owner, {
    authors: {
      permissions: ['read:any', 'write:label:staff'],
      attributes: { name: { type: 'STRING', required: true, size: 20 } },
    },
    posts: {
      documentPermissions: true,
      permissions: ['create:users', 'read:label:staff'],
      attributes: {
        title: { type: 'STRING', required: true, size: 20 },
        slug: { type: 'STRING' },
        views: { type: 'INTEGER', default: 0 },
        draft: { type: 'BOOLEAN' },
        published: { type: 'DATETIME' },
        author: { type: 'RELATION', to: 'authors', reverseKey: 'posts', onDelete: 'RESTRICT' },
      },
    },
    comments: {
      documentPermissions: true,
      permissions: ['create:users', 'read:label:staff'],
      attributes: {
        body: { type: 'STRING' },
        post: { type: 'RELATION', to: 'posts', reverseKey: 'comments', onDelete: 'CASCADE' },
        replyTo: { type: 'RELATION', to: 'comments', reverseKey: 'replies', onDelete: 'SET_NULL' },
      },
    },
    notes: {
      attributes: {
        text: { type: 'STRING' },
        post: { type: 'RELATION', to: 'posts', reverseKey: 'notes', onDelete: 'CASCADE' },
      },
    },
  })
  await world.app.sql.query(`create unique index on "${projectId}"."${ids.posts}" (slug, "views")`)
  const actorOf = (name: string | null, labels: string[]): Actor | null =>
    name === null ? null : { kind: 'user', id: name, sessionId: `ses_${name}`, verified: false, labels }
  return {
    projectId,
    owner,
    ids,
    as: (name, labels = []) => world.context(projectId, actorOf(name, labels)),
    key: (...scopes) => world.context(projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) }),
  }
}
