import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'
import { directionNames } from './directions.ts'
import { loadModel } from './load.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { parsePage } from './page.ts'
import type { ConnectionPlan } from './plan.ts'
import { compile } from './sql.ts'

let world: World
let model: ProjectModel
let things: CollectionModel

before(async () => {
  world = await createWorld()
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, {
    things: {
      attributes: {
        text: { type: 'STRING' },
        number: { type: 'INTEGER' },
        rank: { type: 'INTEGER', required: true },
        flag: { type: 'BOOLEAN' },
        moment: { type: 'DATETIME' },
        place: { type: 'POINT' },
        words: { type: 'TEXT' },
        friend: { type: 'RELATION', to: 'things' },
      },
      indexes: { search: { type: 'FULLTEXT', attributes: ['words'], language: 'english' } },
    },
  })
  model = await loadModel(world.app.sql, projectId)
  const [collection] = [...model.collections.values()]
  assert.ok(collection)
  things = collection
  for (let i = 0; i < 23; i++) {
    await world.app.sql.query(
      `insert into ${things.table} ("_id", text, number, rank, flag, moment, place, words, friend) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        idOf(i),
        pick(['x', 'Y', null, 'x', '\u{1F600}', '\uFFFD'], i),
        pick([1, null, 2, 2], i),
        i % 3,
        pick([true, false, null], i),
        pick(['2026-01-01T00:00:00.001Z', null, '2026-01-01T00:00:00.002Z'], i),
        i % 6 === 5 ? null : `(${i % 4},${i % 3})`,
        pick(['a cat', 'cats and cats', 'a dog', null], i),
        i % 4 === 0 ? null : idOf((i * 7) % i),
      ],
    )
  }
})

after(() => world.close())

const pick = <T>(list: readonly T[], i: number) => list[i % list.length]
const idOf = (i: number) => pick(['a', 'B', 'é', '\u{1F600}', '\uFFFD'], i) + String(i)

type Args = Record<string, unknown>
type Answer = {
  edges: { cursor: string; node: { id: string } }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
  totalCount: number
}

async function ask(args: Args): Promise<Answer> {
  const id = things.columns.get('id')
  assert.ok(id)
  const connection: ConnectionPlan = {
    collectionId: things.id,
    page: parsePage(model, things, args, []),
    fields: [
      {
        key: 'edges',
        kind: 'edges',
        fields: [
          { key: 'cursor', kind: 'cursor' },
          {
            key: 'node',
            kind: 'node',
            plan: { collectionId: things.id, fields: [{ key: 'id', kind: 'column', column: id }] },
          },
        ],
      },
      {
        key: 'pageInfo',
        kind: 'pageInfo',
        fields: ['hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor'].map((name) => ({ key: name, name })),
      },
      { key: 'totalCount', kind: 'totalCount' },
    ],
  }
  const everybody = { roles: null, userId: null }
  const { text, values } = compile(model, everybody, { kind: 'connection', connection })
  const { rows } = await world.app.sql.query(text, [...values])
  return JSON.parse(rows[0].answer)
}

const columns = {
  text: 'text collate "C"',
  number: 'number',
  rank: 'rank',
  flag: 'flag',
  moment: 'moment',
  id: '"_id" collate "C"',
}

const metres = `2 * 6371008.8 * asin(sqrt(power(sind((place[1] - 1) / 2), 2) + cosd(place[1]) * cosd(1) * power(sind(place[0] / 2), 2)))`
const friend = (value: string) => `(select ${value} from things f where f."_id" = t.friend)`

/** Each way to order, and what it is in plain SQL. */
type Way = [item: (direction: string) => Args, sql: string]
const orders: readonly Way[] = [
  ...Object.entries(columns).map(([key, sql]): Way => [(direction: string) => ({ [key]: direction }), sql]),
  [(direction) => ({ friend: { rank: direction } }), friend('f.rank')],
  [
    (direction) => ({ friend: { friend: { text: direction } } }),
    friend('(select g.text from things g where g."_id" = f.friend)'),
  ],
  [(direction) => ({ place: { near: { type: 'Point', coordinates: [0, 1] }, direction } }), metres],
  [
    (direction) => ({ wordsRank: { search: 'cat or dog', direction } }),
    `ts_rank(to_tsvector('english', coalesce(words, '')), websearch_to_tsquery('english', 'cat or dog'))`,
  ],
]

type Term = { item: Args; sql: string; direction: string }

/** Every id in an order, by plain SQL. */
async function inOrder(terms: readonly Term[]): Promise<string[]> {
  const last = terms.at(-1)?.direction.slice(0, 4) === 'DESC' ? 'DESC' : 'ASC'
  const order = [
    ...terms.map(({ sql, direction }) => `${sql} ${direction.replaceAll('_', ' ')}`),
    `"_id" collate "C" ${last}`,
  ].join(', ')
  const { rows } = await world.app.sql.query(
    `with things as (select * from ${things.table}) select "_id" as id from things t order by ${order}`,
  )
  return rows.map(({ id }) => id)
}

const orderBy = fc.array(
  fc
    .tuple(fc.constantFrom(...orders), fc.constantFrom(...directionNames))
    .map(([[item, sql], direction]): Term => ({ item: item(direction), sql, direction })),
  { maxLength: 3 },
)
const itemsOf = (terms: readonly Term[]) => terms.map(({ item }) => item)

test('pages put together are the whole list, forward and backward', async () => {
  await fc.assert(
    fc.asyncProperty(orderBy, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (order, size, backward) => {
      const all = await inOrder(order)
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: Answer = await ask({
          orderBy: itemsOf(order),
          ...(backward ? { last: size, before: cursor } : { first: size, after: cursor }),
        })
        const ids = page.edges.map(({ node }) => node.id)
        assert.equal(page.totalCount, all.length)
        assert.equal(backward ? page.pageInfo.hasNextPage : page.pageInfo.hasPreviousPage, seen.length > 0)
        assert.equal(page.pageInfo.startCursor, page.edges[0]?.cursor)
        assert.equal(page.pageInfo.endCursor, page.edges.at(-1)?.cursor)
        if (backward) seen.unshift(...ids)
        else seen.push(...ids)
        const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo
        cursor = (backward ? hasPreviousPage : hasNextPage) ? (backward ? startCursor : endCursor) : null
      } while (cursor !== null)
      assert.deepEqual(seen, all)
    }),
    { numRuns: 60 },
  )
})

test('any window of a list is what plain SQL says', async () => {
  const place = fc.option(fc.nat(22), { nil: null })
  await fc.assert(
    fc.asyncProperty(
      orderBy,
      place,
      place,
      fc.nat(12),
      fc.option(fc.nat(30)),
      async (order, from, to, size, offset) => {
        const all = await inOrder(order)
        const { edges } = await ask({ orderBy: itemsOf(order), first: 100 })
        const [after, before] = [from === null ? null : edges[from]?.cursor, to === null ? null : edges[to]?.cursor]
        const backward = offset === null
        const page = await ask({
          orderBy: itemsOf(order),
          after,
          before,
          ...(backward ? { last: size } : { first: size, offset }),
        })
        const begin = from === null ? 0 : from + 1
        const inside = all.slice(begin, to ?? all.length)
        const end = Math.max(inside.length, 0)
        const start = backward ? Math.max(end - size, 0) : Math.min(offset, end)
        const expected = backward ? inside.slice(start) : inside.slice(start, start + size)
        assert.deepEqual(
          page.edges.map(({ node }) => node.id),
          size === 0 ? [] : expected,
        )
        if (size === 0) return
        const more = backward ? start > 0 : start + size < end
        assert.equal(
          backward ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage,
          more || (backward ? from !== null : to !== null),
        )
      },
    ),
    { numRuns: 100 },
  )
})

test('what did not change is on exactly one page, whatever is written to others meanwhile', async () => {
  const { sql } = world.app
  const write = fc.constantFrom(
    ...['rank', 'number'].map((name) => `update ${things.table} set ${name} = 1 - coalesce(${name}, 0) where`),
    `update ${things.table} set text = 'y', place = '(0,1)', words = 'dogs', friend = null where`,
    `delete from ${things.table} where`,
    `insert into ${things.table} ("_id", rank, text) select 'w' || random()::text, 1, 'x' from ${things.table} where`,
  )
  const seed = fc.option(fc.integer(), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(
      orderBy,
      seed,
      fc.integer({ min: 1, max: 6 }),
      fc.boolean(),
      fc.array(write),
      async (order, shuffle, size, backward, writes) => {
        // Those that a relation of an unchanged one leads to are not changed either.
        for (let i = 0; i < 8; i++)
          await sql.query(
            `insert into ${things.table} ("_id", rank, text, number) values ($1, 1, 'x', 1) on conflict do nothing`,
            [`w${i}`],
          )
        const seen: string[] = []
        const expected = await inOrder([])
        let cursor: string | null = null
        let more = true
        for (let turn = 0; more; turn++) {
          const args = backward ? { last: size, before: cursor } : { first: size, after: cursor }
          const page: Answer = await ask({ orderBy: itemsOf(order), shuffle, ...args })
          seen.push(...page.edges.map(({ node }) => node.id))
          cursor = (backward ? page.pageInfo.startCursor : page.pageInfo.endCursor) ?? cursor
          more = backward ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage
          const change = writes[turn]
          if (change) await sql.query(`${change} "_id" = 'w${turn % 8}'`)
        }
        const kept = (ids: readonly string[]) => ids.filter((one) => !one.startsWith('w')).sort()
        assert.deepEqual(kept(seen), kept(expected))
        await sql.query(`delete from ${things.table} where "_id" like 'w%'`)
      },
    ),
    { numRuns: 60 },
  )
})

test('a shuffled list is the same for the same number, and another for another one', async () => {
  const ids = async (shuffle: number, more: Args = {}) =>
    (await ask({ shuffle, first: 100, ...more })).edges.map(({ node }) => node.id)
  const all = await ids(1)
  assert.deepEqual(await ids(1), all)
  assert.notDeepEqual(await ids(2), all)
  assert.deepEqual([...(await ids(2))].sort(), [...all].sort())
  const equal = await ids(2, { orderBy: [{ rank: 'ASC' }] })
  assert.notDeepEqual(equal, await ids(3, { orderBy: [{ rank: 'ASC' }] }))
})
