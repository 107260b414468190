import assert from 'node:assert/strict'
import { type RequestFailed, request } from '../client/request.ts'
import type { Users } from './setting-up.ts'
import { step } from './steps.ts'

type Counted = { postsAggregate: { key: { published: string }; count: number; sum: { views: string } }[] }
type Written = { updatePost: { views: number; version: number } }

/** Bulk forms, operators, versions and aggregates. */
export async function manyAtOnce({ ann, bob }: Users): Promise<void> {
  await step('Ann creates a hundred posts in one call', async () => {
    const permissions = [
      { role: 'users', right: 'READ' },
      { role: `user:${ann.id}`, right: 'UPDATE' },
    ]
    const inputs = Array.from({ length: 100 }, (_, i) => {
      const published = `2026-0${i < 60 ? 1 : 2}-15T12:00:00Z`
      return { id: `many-${i}`, title: `Post ${i}`, views: i, published, permissions }
    })
    const query = 'mutation ($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { id } }'
    const { createPosts } = await request<{ createPosts: { id: string }[] }>(ann, query, { inputs })
    assert.equal(createPosts.length, 100)
  })
  await step('Bob counts them and sums their views, month by month', async () => {
    const query = `{ postsAggregate(where: { published: { isNull: false } }, groupBy: [{ published: MONTH }], having: { count: { gt: 1 } }) {
      key { published } count sum { views } } }`
    const { postsAggregate } = await request<Counted>(bob, query)
    assert.deepEqual(
      postsAggregate.map(({ key, count, sum }) => [key.published.slice(0, 7), count, Number(sum.views)]),
      [
        ['2026-01', 60, 1_770],
        ['2026-02', 40, 3_180],
      ],
    )
  })
  await step('Ten increments at once all count, and a change of an old version is a CONFLICT', async () => {
    const increment =
      'mutation { updatePost(input: { id: "many-0" }, apply: { views: { increment: 1 } }) { views version } }'
    const written = await Promise.all(Array.from({ length: 10 }, () => request<Written>(ann, increment)))
    assert.equal(Math.max(...written.map(({ updatePost }) => updatePost.views)), 10)
    const late = 'mutation { updatePost(input: { id: "many-0", title: "Late" }, ifVersion: 1) { version } }'
    const refused = await request(ann, late).catch((error: RequestFailed) => error.failures[0]?.extensions?.code)
    assert.equal(refused, 'CONFLICT')
  })
}
