import { createIndex } from '../../src/modules/indexes/indexes.ts'
import { createTables } from '../../src/testing/tables.ts'
import type { World } from '../../src/testing/world.ts'

export const sizes = { authors: 100, posts: 10_000, comments: 50_000 }

export type Filled = {
  projectId: string
  databaseId: string
  ids: { authors: string; posts: string; comments: string }
}

const byUsers = [{ right: 'read', role: 'users' }] as const

/** The three collections, as the API and the databases worker make them. Authors and comments are read through the collection, posts through each post. */
export async function createTablesOfBlog(world: World): Promise<Filled> {
  const tables = await createTables(world)
  const { ctx } = tables
  const authors = await tables.make({
    key: 'authors',
    permissions: byUsers,
    attributes: [{ key: 'name', type: 'STRING', size: 100, required: true }],
  })
  const posts = await tables.make({
    key: 'posts',
    permissions: [{ right: 'create', role: 'users' }],
    documentPermissions: true,
    attributes: [
      { key: 'title', type: 'STRING', size: 200, required: true },
      { key: 'body', type: 'STRING', size: 5000 },
      { key: 'category', type: 'STRING', size: 20, required: true },
      { key: 'views', type: 'INTEGER', required: true },
      { key: 'published', type: 'DATETIME' },
      { key: 'author', type: 'RELATION', relatedCollectionId: authors, reverseKey: 'posts', onDelete: 'CASCADE' },
    ],
  })
  const comments = await tables.make({
    key: 'comments',
    permissions: byUsers,
    attributes: [
      { key: 'body', type: 'STRING', size: 1000 },
      { key: 'post', type: 'RELATION', relatedCollectionId: posts, reverseKey: 'comments', onDelete: 'CASCADE' },
    ],
  })
  await createIndex(ctx, { collectionId: posts, key: 'byCategory', type: 'KEY', attributes: ['category', 'views'] })
  await createIndex(ctx, { collectionId: posts, key: 'byAuthor', type: 'KEY', attributes: ['author', 'views'] })
  await tables.applyAll()
  return { projectId: ctx.projectId, databaseId: tables.databaseId, ids: { authors, posts, comments } }
}

/** `readers` may read, change and delete posts: the first of them half, the second the other half. */
export async function fillBlog(world: World, { projectId, ids }: Filled, readers: readonly [string, string]) {
  const table = (id: string) => `"${projectId}"."${id}"`
  const day = `timestamptz '2026-01-01T00:00:00Z' + i * interval '7 minutes'`
  const { sql } = world.app
  await sql.query(`insert into ${table(ids.authors)} ("_id", name)
    select 'a' || i, 'Author ' || to_char(i, 'FM000') from generate_series(1, ${sizes.authors}) i`)
  await sql.query(
    `insert into ${table(ids.posts)} ("_id", title, body, category, views, published, author, "_read", "_update", "_delete")
     select 'p' || i, 'Post number ' || i, repeat('Lorem ipsum "dolor" sit amet, ', 10), 'c' || i % 10,
       (i::bigint * 7919 % 10007)::int, ${day}, 'a' || 1 + i % ${sizes.authors},
       array[case when i % 2 = 0 then $1 else $2 end], array[$2], array[$2]
     from generate_series(1, ${sizes.posts}) i`,
    [...readers],
  )
  await sql.query(`insert into ${table(ids.comments)} ("_id", body, post)
    select 'k' || i, 'Comment number ' || i, 'p' || 1 + i % ${sizes.posts} from generate_series(1, ${sizes.comments}) i`)
  await sql.query('vacuum analyze')
}
