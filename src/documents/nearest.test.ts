import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createCollections, type NewCollection } from '../testing/collections.ts'
import { lacksVectors } from '../testing/vectors.ts'
import { createWorld, type World } from '../testing/world.ts'
import { loadModel } from './load.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { parsePage } from './page.ts'
import type { ConnectionField } from './plan.ts'
import type { Caller } from './scope.ts'
import { bind } from './slots.ts'
import { compile } from './sql.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world?.close())

type Args = Readonly<Record<string, unknown>>
const system: Caller = { roles: null, userId: null }

/** Lists of one collection, asked as the API asks. */
async function listsOf(collection: NewCollection) {
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, { spots: collection })
  const model = await loadModel(world.app.sql, projectId)
  const [spots] = [...model.collections.values()]
  const id = spots?.columns.get('id')
  assert.ok(spots && id)
  const nodes = (key: string): ConnectionField => {
    return { key, kind: 'nodes', plan: { collectionId: spots.id, fields: [{ key: 'id', kind: 'column', column: id }] } }
  }
  /** What is made of a model in which no attribute has an index is how it is without one. */
  const statement = (args: Args, caller: Caller, extra: readonly ConnectionField[], of: ProjectModel) => {
    const collectionOf = of.collections.get(spots.id) as CollectionModel
    const page = parsePage(of, collectionOf, args, [])
    const connection = { collectionId: spots.id, page, fields: [nodes('nodes'), ...extra] }
    const { text, values } = compile(of, caller, { kind: 'connection', connection })
    const given = { variables: {}, roles: caller.roles ?? [], userId: null }
    return { text, values: bind(values, given) }
  }
  const without: ProjectModel = {
    ...model,
    collections: new Map([
      [
        spots.id,
        { ...spots, columns: new Map([...spots.columns].map(([key, column]) => [key, { ...column, nearest: [] }])) },
      ],
    ]),
  }
  const answer = async (args: Args, { caller = system, of = model }: { caller?: Caller; of?: ProjectModel } = {}) => {
    const { text, values } = statement(args, caller, [], of)
    const { rows } = await world.app.sql.query<{ answer: string }>(text, values)
    return (JSON.parse(rows[0]?.answer ?? '') as { nodes: { id: string }[] }).nodes.map((one) => one.id)
  }
  return {
    table: spots.table,
    answer,
    exact: (args: Args, caller = system) => answer(args, { caller, of: without }),
    plan: async (args: Args, { caller = system, extra = [] as ConnectionField[] } = {}) => {
      const { text, values } = statement(args, caller, extra, model)
      const { rows } = await world.app.sql.query(`explain (analyze, costs off) ${text}`, values)
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    },
  }
}

const at = (longitude: number, latitude: number) => ({ type: 'Point', coordinates: [longitude, latitude] })

describe('the nearest places', () => {
  let lists: Awaited<ReturnType<typeof listsOf>>
  const reader: Caller = { roles: ['any', 'user:ann'], userId: 'ann' }

  before(async () => {
    lists = await listsOf({
      documentPermissions: true,
      attributes: { place: { type: 'POINT' }, rank: { type: 'INTEGER' } },
      indexes: { places: { type: 'SPATIAL', attributes: ['place'] } },
    })
    // Many at one place, some nowhere on the earth, some nowhere at all; every third may be read by Ann.
    await world.app.sql.query(`select setseed(0.25)`)
    await world.app.sql.query(
      `insert into ${lists.table} ("_id", place, rank, "_read") select 'i' || i,
         case when i % 500 = 0 then null when i % 100 = 7 then point(10, 60) when i % 2000 = 11 then point(370, 60.001) when i % 2000 = 12 then point(-350, 85)
         else point(random() * 360 - 180, degrees(asin(random() * 2 - 1))) end, i % 7,
         case when i % 3 = 0 then array['user:ann'] else array['user:bo'] end from generate_series(1, 20000) i`,
    )
    await world.app.sql.query(`vacuum analyze ${lists.table}`)
  })

  const order = (longitude: number, latitude: number) => [{ place: { near: at(longitude, latitude) } }]

  test('are found by an index, without all others being read', async () => {
    for (const caller of [system, reader]) {
      const plan = await lists.plan({ orderBy: order(20, 50), first: 25 }, { caller })
      assert.match(plan, /Order By: \(place <-> /, plan)
      assert.match(plan, /Index Cond: \(place <@ /, plan)
      for (const line of plan.split('\n').filter((one) => one.includes('Seq Scan')))
        assert.match(line, /never executed/, plan)
    }
  })

  test('are the same as without one, in the same order', async () => {
    const from = [
      [20, 50],
      [10, 60],
      [10, 60.001],
      [179.99, 10],
      [-180, -40],
      [0, 90],
      [33, -89.9],
      [370, 60],
      [5, 95],
      [0, 0],
    ] as const
    for (const [longitude, latitude] of from)
      for (const caller of [system, reader])
        for (const args of [
          { first: 1 },
          { first: 100 },
          { first: 10, where: { rank: { eq: 3 } } },
          { first: 30, where: { rank: { gt: 6 } } },
        ]) {
          const asked = { orderBy: order(longitude, latitude), ...args }
          const expected = await lists.exact(asked, caller)
          assert.deepEqual(await lists.answer(asked, { caller }), expected, JSON.stringify(asked))
        }
  })

  test('come before those that are nowhere, where there are too few of them', async () => {
    for (const where of [
      { place: { near: { point: at(10, 60), metres: 5 } }, rank: { eq: 1 } },
      { id: { in: ['i500', 'i501', 'i1000', 'i7'] } },
    ]) {
      const asked = { orderBy: order(10, 60), first: 100, where }
      const found = await lists.answer(asked)
      assert.ok(found.length > 3)
      assert.deepEqual(found, await lists.exact(asked))
    }
  })

  test('go on after them', async () => {
    const all = await lists.exact({ orderBy: order(10, 60), first: 100 })
    const fifty = await lists.answer({ orderBy: order(10, 60), first: 50 })
    const rest = await lists.answer({ orderBy: order(10, 60), first: 50, offset: 50 })
    assert.deepEqual([...fifty, ...rest], all)
  })
})

describe('the nearest vectors', { skip: await lacksVectors() }, () => {
  let lists: Awaited<ReturnType<typeof listsOf>>
  const from = (i: number) => Array.from({ length: 8 }, (_, place) => Math.sin(i * 7 + place))
  const order = (measure: string, i = 1) => [{ at: { near: from(i), measure } }]
  const reader: Caller = { roles: ['any', 'user:ann'], userId: 'ann' }

  before(async () => {
    await world.app.sql.query('create extension if not exists vector')
    lists = await listsOf({
      documentPermissions: true,
      attributes: { at: { type: 'VECTOR', dimensions: 8 }, rank: { type: 'INTEGER' } },
      indexes: { close: { type: 'VECTOR', attributes: ['at'], distance: 'EUCLIDEAN' } },
    })
    await world.app.sql.query(
      `insert into ${lists.table} ("_id", at, rank, "_read") select 'i' || i,
         case when i % 500 > 0 then (select array_agg(sin(i * 7.3 + j * (i % 13)))::vector from generate_series(1, 8) j) end, i % 7,
         case when i % 3 = 0 then array['user:ann'] else array['user:bo'] end from generate_series(1, 5000) i`,
    )
    await world.app.sql.query(`vacuum analyze ${lists.table}`)
  })

  const isExact = (plan: string) => assert.doesNotMatch(plan, /Order By/, plan)

  test('are found by an index that measures so', async () => {
    const plan = await lists.plan({ orderBy: order('EUCLIDEAN'), first: 10 })
    assert.match(plan, /Order By: \(at <-> /, plan)
    assert.match(plan, /Seq Scan.*never executed/, plan)
    isExact(await lists.plan({ orderBy: order('COSINE'), first: 10 }))
  })

  test('are, for nearly all of them, the same as without one, the nearest first', async () => {
    let same = 0
    for (let i = 0; i < 20; i += 1) {
      const asked = { orderBy: order('EUCLIDEAN', i), first: 10 }
      const [found, exact] = [await lists.answer(asked), await lists.exact(asked)]
      assert.equal(found.length, 10)
      same += found.filter((id) => exact.includes(id)).length
    }
    assert.ok(same >= 180, `${same} of 200`)
  })

  test('are as many as are asked for, though the index finds fewer', async () => {
    for (const args of [
      { first: 100 },
      { first: 30, where: { rank: { eq: 3 } } },
      { first: 20, where: { at: { isNull: true } } },
    ]) {
      const asked = { orderBy: order('EUCLIDEAN'), ...args }
      assert.equal((await lists.answer(asked)).length, Math.min(args.first, args.where?.at ? 10 : 100))
      assert.deepEqual(await lists.answer(asked), await lists.exact(asked))
    }
  })

  test('are all there where a list goes on after them, and for whoever may not read everything', async () => {
    const orderBy = order('EUCLIDEAN')
    const cursor: ConnectionField = {
      key: 'pageInfo',
      kind: 'pageInfo',
      fields: [{ key: 'endCursor', name: 'endCursor' }],
    }
    isExact(await lists.plan({ orderBy, first: 10 }, { extra: [cursor] }))
    isExact(await lists.plan({ orderBy, first: 10 }, { caller: reader }))
    isExact(await lists.plan({ orderBy, first: 10, offset: 10 }))
    const more: ConnectionField = { key: 'pageInfo', kind: 'pageInfo', fields: [{ key: 'more', name: 'hasNextPage' }] }
    assert.match(await lists.plan({ orderBy, first: 10 }, { extra: [more] }), /Order By/)
  })
})
