/**
 * What one would write by hand: node:http, pg, and for each operation a prepared statement that makes the JSON of the
 * answer. It reads the same requests, and knows no permissions, no limits and no errors.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { beginPart, tell } from '../parts.ts'
import type { Filled } from './fill.ts'

export type RawOptions = Filled & { url: string; poolSize: number; userId: string }

type Post = { title: string; body: string; category: string; views: number; published: string; author: string }
type Variables = { id: string; category: string; offset: number; input: Post; inputs: Post[] }

const { url, poolSize, userId, projectId, databaseId, ids } = beginPart<RawOptions>()
const pool = new pg.Pool({ connectionString: url, max: poolSize })
const table = (id: string) => `"${projectId}"."${id}"`
const moment = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const getText = `select json_build_object('id', "_id", 'title', title, 'body', body, 'category', category, 'views', views,
  'published', ${moment('published')})::text from ${table(ids.posts)} where "_id" = $1`

const listText = `select coalesce(json_agg(json_build_object('id', p."_id", 'title', p.title, 'views', p.views,
    'published', ${moment('p.published')}, 'author', json_build_object('id', a."_id", 'name', a.name)) order by p.views desc), '[]')::text
  from (select * from ${table(ids.posts)} where category = $1 order by views desc limit 20) p
  left join ${table(ids.authors)} a on a."_id" = p.author`

const nestedText = `select coalesce(json_agg(json_build_object('id', a."_id", 'name', a.name, 'posts', json_build_object('nodes', p.list)) order by a."_id"), '[]')::text
  from (select * from ${table(ids.authors)} order by "_id" limit 10 offset $1) a
  cross join lateral (
    select coalesce(json_agg(json_build_object('id', p."_id", 'title', p.title, 'views', p.views, 'comments', json_build_object('nodes', c.list)) order by p.views desc), '[]') as list
    from (select * from ${table(ids.posts)} where author = a."_id" order by views desc limit 10) p
    cross join lateral (
      select coalesce(json_agg(json_build_object('id', c."_id", 'body', c.body) order by c."_id"), '[]') as list
      from (select * from ${table(ids.comments)} where post = p."_id" order by "_id" limit 5) c
    ) c
  ) p`

const columns =
  '"_id", "_createdAt", "_updatedAt", title, body, category, views, published, author, "_read", "_update", "_delete"'
const outbox = 'insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind", "actorId")'
const aggregate = `databases.${databaseId}.collections.posts.documents.`
const insertText = `insert into ${table(ids.posts)} (${columns}) values ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)
  returning json_build_object('title', title, 'body', body, 'category', category, 'views', views, 'published', ${moment('published')})::text`
const eventText = `${outbox} values ($1, $2, $3, 'documents.created', $4, $5, 'user', $6)`
const bulkText = `insert into ${table(ids.posts)} (${columns})
  select * from unnest($1::text[], $2::timestamptz[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::int4[], $7::timestamptz[], $8::text[]) n,
    (select $9::text[], $9::text[], $9::text[]) r`
const eventsText = `${outbox}
  select id, $2, '${aggregate}' || d || '.created', 'documents.created', '${aggregate}' || d, p, 'user', $5
  from unnest($1::uuid[], $3::text[], $4::jsonb[]) e (id, d, p)`

async function answer(client: pg.Pool | pg.PoolClient, name: string, text: string, values: unknown[]): Promise<string> {
  const { rows } = await client.query<string[]>({ name, text, values, rowMode: 'array' })
  return rows[0]?.[0] ?? 'null'
}

async function transaction<T>(fn: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await fn(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

const newId = () => `doc_${randomUUID().replaceAll('-', '')}`
const roles = [`user:${userId}`]

function payloadOf(id: string, now: string, post: Post) {
  const { title, body, category, views, published, author } = post
  const rights = { _read: roles, _update: roles, _delete: roles }
  const own = { _id: id, _createdAt: now, _updatedAt: now, ...rights }
  const after = { ...own, title, body, category, views, published, author }
  const place = { databaseId, collectionId: ids.posts, collectionKey: 'posts', id }
  return JSON.stringify({ ...place, before: null, after, changed: [] })
}

function create(post: Post): Promise<string> {
  return transaction(async (client) => {
    const id = newId()
    const now = new Date().toISOString()
    const { title, body, category, views, published, author } = post
    const text = await answer(client, 'insert', insertText, [
      id,
      now,
      title,
      body,
      category,
      views,
      published,
      author,
      roles,
    ])
    const path = aggregate + id
    const event = [randomUUID(), projectId, `${path}.created`, path, payloadOf(id, now, post), userId]
    await client.query({ name: 'event', text: eventText, values: event })
    return text
  })
}

function bulk(posts: Post[]): Promise<string> {
  return transaction(async (client) => {
    const now = new Date().toISOString()
    const rows = posts.map((post) => ({ id: newId(), now, ...post }))
    const column = (key: keyof (typeof rows)[number]) => rows.map((row) => row[key])
    const keys = ['id', 'now', 'title', 'body', 'category', 'views', 'published', 'author'] as const
    await client.query({ name: 'bulk', text: bulkText, values: [...keys.map(column), roles] })
    const payloads = rows.map(({ id }, i) => payloadOf(id, now, posts[i] as Post))
    const events = [rows.map(() => randomUUID()), projectId, column('id'), payloads, userId]
    await client.query({ name: 'events', text: eventsText, values: events })
    return JSON.stringify(posts.map(({ title, views }) => ({ title, views })))
  })
}

const operations: Record<string, (variables: Variables) => Promise<string>> = {
  get: async ({ id }) => `{"data":{"post":${await answer(pool, 'get', getText, [id])}}}`,
  list: async ({ category }) => `{"data":{"posts":{"nodes":${await answer(pool, 'list', listText, [category])}}}}`,
  nested: async ({ offset }) => `{"data":{"authors":{"nodes":${await answer(pool, 'nested', nestedText, [offset])}}}}`,
  create: async ({ input }) => `{"data":{"createPost":${await create(input)}}}`,
  bulk: async ({ inputs }) => `{"data":{"createPosts":${await bulk(inputs)}}}`,
}

const server = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', async () => {
    try {
      const { operationName, variables } = JSON.parse(Buffer.concat(chunks).toString())
      const body = Buffer.from((await operations[operationName]?.(variables)) ?? '{"errors":[{}]}')
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length }).end(body)
    } catch (error) {
      res.writeHead(500, { 'content-length': 0 }).end()
      process.stderr.write(`raw: ${String(error)}\n`)
    }
  })
})
server.listen(0, '127.0.0.1', () => tell({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` }))
