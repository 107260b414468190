import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Change, follow, followEvents } from '../client/live.ts'
import { type Endpoint, type RequestFailed, request } from '../client/request.ts'
import type { Project, Users } from './setting-up.ts'
import { step, until } from './steps.ts'

export type Posts = { authorId: string; sharedId: string; secretId: string }

const createPost =
  'mutation ($input: CreatePostInput!) { createPost(input: $input) { id title views author { name } } }'

type Created = { createPost: { id: string; author: { name: string } | null } }

export async function readAndWrite(project: Project, { ann, bob }: Users): Promise<Posts> {
  const authorId = await step('Ann creates an author', async () => {
    const query = 'mutation { createAuthor(input: { name: "Ann" }) { id } }'
    return (await request<{ createAuthor: { id: string } }>(ann, query)).createAuthor.id
  })
  const sharedId = await step('Ann creates posts that every user may read', async () => {
    const permissions = [
      { role: 'users', right: 'READ' },
      { role: `user:${ann.id}`, right: 'UPDATE' },
    ]
    const ids: string[] = []
    for (const views of [1, 7, 9]) {
      const input = { title: `Shared ${views}`, views, author: authorId, permissions }
      const { createPost: post } = await request<Created>(ann, createPost, { input })
      assert.equal(post.author?.name, 'Ann')
      ids.push(post.id)
    }
    return ids[2] ?? ''
  })
  const secretId = await step('Ann creates a post that only she may read', async () => {
    const input = { title: 'Secret', views: 100, author: authorId }
    return (await request<Created>(ann, createPost, { input })).createPost.id
  })
  await step('Bob queries with a typed filter, order, the relation and a connection, and sees what he may', () =>
    bobQueries(bob),
  )
  await step("Bob may not see, change or delete Ann's secret post: it does not exist for him", () =>
    bobIsRefused(bob, secretId),
  )
  await step('The server key sees all four', async () => {
    const { posts } = await request<{ posts: { totalCount: number } }>(project.server, '{ posts { totalCount } }')
    assert.equal(posts.totalCount, 4)
  })
  return { authorId, sharedId, secretId }
}

type Page = {
  posts: {
    totalCount: number
    nodes: { title: string; author: { name: string; posts: { totalCount: number } } }[]
    pageInfo: { hasNextPage: boolean; endCursor: string }
  }
}

async function bobQueries(bob: Endpoint): Promise<void> {
  const query = `query ($after: String) {
    posts(where: { views: { gt: 0 }, author: { name: { eq: "Ann" } } }, orderBy: [{ views: DESC }], first: 2, after: $after) {
      totalCount
      nodes { title author { name posts { totalCount } } }
      pageInfo { hasNextPage endCursor }
    } }`
  const { posts: first } = await request<Page>(bob, query)
  assert.deepEqual(
    first.nodes.map(({ title }) => title),
    ['Shared 9', 'Shared 7'],
  )
  assert.equal(first.totalCount, 3)
  assert.deepEqual(first.nodes[0]?.author, { name: 'Ann', posts: { totalCount: 3 } })
  const { posts: second } = await request<Page>(bob, query, { after: first.pageInfo.endCursor })
  assert.deepEqual(
    second.nodes.map(({ title }) => title),
    ['Shared 1'],
  )
  assert.equal(second.pageInfo.hasNextPage, false)
}

async function bobIsRefused(bob: Endpoint, id: string): Promise<void> {
  assert.deepEqual(await request(bob, 'query ($id: ID!) { post(id: $id) { title } }', { id }), { post: null })
  const codeOf = (query: string, of: string) =>
    request(bob, query, { id: of }).then(
      () => 'none',
      (error: RequestFailed) =>
        JSON.stringify(error.failures.map(({ message, extensions }) => [message, extensions?.code])),
    )
  for (const query of [
    'mutation ($id: ID!) { updatePost(input: { id: $id, title: "Mine" }) { id } }',
    'mutation ($id: ID!) { deletePost(id: $id) }',
  ]) {
    assert.match(await codeOf(query, id), /NOT_FOUND/)
    assert.equal(await codeOf(query, id), await codeOf(query, 'absent'))
  }
}

const updatePost = 'mutation ($id: ID!, $views: Int!) { updatePost(input: { id: $id, views: $views }) { id } }'
const subscription =
  'subscription ($after: String) { postChanged(after: $after) { cursor kind id node { title views author { name } } } }'

type Post = { title: string; views: number; author: { name: string } }

/** Bob follows the posts; Ann changes them; Bob's connection is cut; nothing is missed, and nothing told twice. */
export async function followAndResume({ ann, bob }: Users, { sharedId, secretId }: Posts): Promise<void> {
  const change = (views: number) => request(ann, updatePost, { id: sharedId, views })
  const views = (seen: Change<Post>[]) => seen.map(({ node }) => node?.views)
  // A subscription does not say when it has begun, so Ann changes the post until Bob has seen it.
  const changed = async (seen: Change<Post>[], count: number) => {
    await change(count)
    await sleep(100)
    return seen.length > 0
  }

  await step(
    'Bob follows postChanged over WebSocket, is cut off, comes back with his cursor, and has missed nothing',
    async () => {
      const seen: Change<Post>[] = []
      const live = follow<Post>(bob, subscription, 'postChanged', (next) => seen.push(next))
      await until('the first change', () => changed(seen, 11))
      const before = seen.length
      live.cut()
      for (const count of [21, 22, 23]) await change(count)
      await request(ann, updatePost, { id: secretId, views: 5 })
      await until('the changes that he missed', () => seen.length >= before + 3)
      await change(24)
      await until('a change after the cut', () => seen.length >= before + 4)
      live.stop()
      assert.deepEqual(views(seen).slice(before), [21, 22, 23, 24])
      assert.ok(
        seen.every(({ id, kind, node }) => id === sharedId && kind === 'UPDATED' && node?.author.name === 'Ann'),
      )
    },
  )

  await step('The same over server-sent events, with Last-Event-ID', async () => {
    const seen: Change<Post>[] = []
    const listen = async (after: string | null) => {
      const controller = new AbortController()
      let opened = () => {}
      const isOpen = new Promise<void>((done) => (opened = done))
      const ended = followEvents<Post>(bob, subscription, 'postChanged', (next) => seen.push(next), {
        after,
        signal: controller.signal,
        onOpen: opened,
      })
      await Promise.race([isOpen, ended])
      const cut = async () => {
        controller.abort()
        await ended.catch(() => {})
      }
      return { cut }
    }
    const first = await listen(null)
    await until('the first change', () => changed(seen, 31))
    await first.cut()
    const before = seen.length
    for (const count of [41, 42]) await change(count)
    const second = await listen(seen.at(-1)?.cursor ?? null)
    await until('the changes that he missed', () => seen.length >= before + 2)
    await second.cut()
    assert.deepEqual(views(seen).slice(before), [41, 42])
  })
}
