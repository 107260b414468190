import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { Invalid } from '../errors.ts'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'
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
      },
    },
  })
  model = await loadModel(world.app.sql, projectId)
  const [collection] = [...model.collections.values()]
  assert.ok(collection)
  things = collection
  const pick = <T>(list: readonly T[], i: number) => list[i % list.length]
  for (let i = 0; i < 23; i++) {
    await world.app.sql.query(
      `insert into ${things.table} ("_id", text, number, rank, flag, moment) values ($1, $2, $3, $4, $5, $6)`,
      [
        pick(['a', 'B', 'é', '\u{1F600}', '\uFFFD'], i) + String(i),
        pick(['x', 'Y', null, 'x', '\u{1F600}', '\uFFFD'], i),
        pick([1, null, 2, 2], i),
        i % 3,
        pick([true, false, null], i),
        pick(['2026-01-01T00:00:00.001Z', null, '2026-01-01T00:00:00.002Z'], i),
      ],
    )
  }
})

after(() => world.close())

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

/** Every id in an order, by plain SQL. */
async function inOrder(orderBy: Args[]): Promise<string[]> {
  const terms = orderBy.map(
    (item) => Object.entries(item).map(([key, direction]) => `${columns[key as keyof typeof columns]} ${direction}`)[0],
  )
  const last = Object.values(orderBy.at(-1) ?? {})[0] ?? 'ASC'
  const { rows } = await world.app.sql.query(
    `select "_id" as id from ${things.table} order by ${[...terms, `"_id" collate "C" ${last}`].join(', ')}`,
  )
  return rows.map(({ id }) => id)
}

const orderBy = fc.array(
  fc
    .tuple(fc.constantFrom(...Object.keys(columns)), fc.constantFrom('ASC', 'DESC'))
    .map(([key, direction]) => ({ [key]: direction })),
  { maxLength: 3 },
)

test('pages put together are the whole list, forward and backward', async () => {
  await fc.assert(
    fc.asyncProperty(orderBy, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (order, size, backward) => {
      const all = await inOrder(order)
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: Answer = await ask({
          orderBy: order,
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
        const { edges } = await ask({ orderBy: order, first: 100 })
        const [after, before] = [from === null ? null : edges[from]?.cursor, to === null ? null : edges[to]?.cursor]
        const backward = offset === null
        const page = await ask({
          orderBy: order,
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

const refused = (args: Args, path: string) => {
  assert.throws(
    () => parsePage(model, things, args, ['list']),
    (error) => error instanceof Invalid && String(error.details.path) === path.replaceAll('.', ','),
  )
}

test('what a page cannot be is refused, with its path', () => {
  refused({ first: 1, last: 1 }, 'list.last')
  refused({ first: 101 }, 'list.first')
  refused({ last: -1 }, 'list.last')
  refused({ last: 1, offset: 1 }, 'list.offset')
  refused({ offset: 1e9 }, 'list.offset')
  refused({ orderBy: [{}] }, 'list.orderBy.0')
  refused({ orderBy: [{ text: 'ASC', number: 'ASC' }] }, 'list.orderBy.0')
  refused({ orderBy: [{ text: null }] }, 'list.orderBy.0.text')
})

test('a cursor is good for the order it was given in, and nothing else is one', async () => {
  const [edge] = (await ask({ orderBy: [{ text: 'ASC' }], first: 1 })).edges
  assert.ok(edge)
  refused({ after: edge.cursor }, 'list.after')
  refused({ orderBy: [{ text: 'DESC' }], before: edge.cursor }, 'list.before')
  const forged = [
    ['id ASC'],
    ['id ASC', null],
    ['id ASC', 1],
    ['id ASC', 'a\0'],
    ['id ASC', 'a', 'b'],
    {},
    'x',
    null,
  ].map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'))
  for (const after of ['', 'x', "' or 1=1", ...forged]) refused({ after }, 'list.after')
  const moment = Buffer.from(JSON.stringify(['moment ASC,id ASC', 'yesterday', 'a'])).toString('base64url')
  refused({ orderBy: [{ moment: 'ASC' }], after: moment }, 'list.after')
})
