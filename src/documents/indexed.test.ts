import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'
import { loadModel } from './load.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { parsePage } from './page.ts'
import { compile } from './sql.ts'

let world: World
let model: ProjectModel
let things: CollectionModel

before(async () => {
  world = await createWorld()
  const { projectId, owner } = await world.createProject()
  await world.app.sql.query('create extension if not exists pg_trgm')
  await createCollections(owner, {
    things: {
      attributes: {
        name: { type: 'STRING' },
        rank: { type: 'INTEGER', required: true },
        seen: { type: 'INTEGER' },
        body: { type: 'TEXT' },
        head: { type: 'STRING' },
        foot: { type: 'STRING' },
        tags: { type: 'STRING', list: true },
        json: { type: 'JSON' },
        place: { type: 'POINT' },
      },
      indexes: {
        names: { type: 'KEY', attributes: ['name'] },
        ranks: { type: 'KEY', attributes: ['rank'] },
        last: { type: 'KEY', attributes: ['seen'], orders: ['DESC_NULLS_LAST'] },
        parts: { type: 'TRIGRAM', attributes: ['body'] },
        words: { type: 'FULLTEXT', attributes: ['body'], language: 'english' },
        both: { type: 'FULLTEXT', attributes: ['head', 'foot'], language: 'english' },
        tagged: { type: 'GIN', attributes: ['tags'] },
        inside: { type: 'GIN', attributes: ['json'] },
        places: { type: 'SPATIAL', attributes: ['place'] },
      },
    },
  })
  model = await loadModel(world.app.sql, projectId)
  const [collection] = [...model.collections.values()]
  assert.ok(collection)
  things = collection
  await world.app.sql.query(
    `insert into ${things.table} ("_id", name, rank, seen, body, head, foot, tags, json, place) select 'i' || i, 'name' || i, i, nullif(i % 7, 0) * i, md5(i::text) || ' word' || i,
       'heads ' || i, 'foot ' || i, array['tag' || i % 5000],
       json_build_object('a', json_build_object('b', i, 'c', array[i])), point(i % 170, i % 80) from generate_series(1, 20000) i`,
  )
  await world.app.sql.query(`vacuum analyze ${things.table}`)
})

after(() => world.close())

function compiled(args: object, kind: 'nodes' | 'totalCount') {
  const page = parsePage(model, things, { first: 20, ...args }, [])
  const id = things.columns.get('id')
  assert.ok(id)
  const plan = { collectionId: things.id, fields: [{ key: 'id', kind: 'column', column: id } as const] }
  const field = kind === 'nodes' ? { key: kind, kind, plan } : { key: kind, kind }
  const connection = { collectionId: things.id, page, fields: [field] }
  return compile(model, { roles: null, userId: null }, { kind: 'connection', connection })
}

async function explain(args: object): Promise<string> {
  const { text, values } = compiled(args, 'nodes')
  const { rows } = await world.app.sql.query(`explain ${text}`, [...values])
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}

const wheres: Record<string, object> = {
  eq: { name: { eq: 'name77' } },
  range: { rank: { between: [10, 20] } },
  startsWith: { name: { startsWith: 'name777' } },
  contains: { body: { contains: 'word1234' } },
  icontains: { body: { icontains: 'WORD1234' } },
  regex: { body: { regex: 'word1234[0-9]' } },
  search: { body: { search: { words: 'word1234' } } },
  'search in the first of two': { head: { search: { words: 'head 77' } } },
  'search in the second of two': { foot: { search: { words: 'foot 77' } } },
  'search in either of two': {
    or: [{ head: { search: { words: 'head 77' } } }, { foot: { search: { words: 'foot 77' } } }],
  },
  has: { tags: { has: 'tag77' } },
  'eq at a path': { json: { path: ['a', 'b'], eq: 77 } },
  'one of these at a path': { json: { path: ['a', 'b'], in: [77, 78] } },
  'in a list at a path': { json: { path: ['a', 'c'], contains: 77 } },
  'an object at a path': { json: { path: ['a'], contains: { b: 77 } } },
  near: { place: { near: { point: { type: 'Point', coordinates: [10, 10] }, metres: 1000 } } },
}

for (const [name, where] of Object.entries(wheres)) {
  test(`${name} is answered by an index`, async () => {
    const plan = await explain({ where, orderBy: [{ name: 'ASC' }] })
    assert.doesNotMatch(plan, /Seq Scan/, plan)
    assert.match(plan, /Index Cond/, plan)
  })
}

test('many values of JSON are looked for within a moment, whether documents have them or not', async () => {
  const many = Array.from({ length: 5_000 }, (_, i) => i + 1)
  for (const [where, count] of [
    [{ in: many }, 5_000],
    [{ notIn: many }, 15_000],
    [{ in: many.map((i) => -i) }, 0],
    [{ notIn: many.map((i) => -i) }, 20_000],
  ] as const) {
    const since = performance.now()
    const page = { where: { json: { path: ['a', 'b'], ...where } } }
    const { text, values } = compiled(page, 'totalCount')
    const { rows } = await world.app.sql.query(text, [...values])
    assert.match(JSON.stringify(rows), new RegExp(`\\b${count}\\b`))
    assert.ok(performance.now() - since < 2_000, `${Object.keys(where)}: ${performance.now() - since} ms`)
  }
})

test('an order, and what comes after a place in it, is answered by an index', async () => {
  for (const orderBy of [{ rank: 'ASC' }, { rank: 'DESC_NULLS_LAST' }, { seen: 'DESC_NULLS_LAST' }])
    assert.match(await explain({ orderBy: [orderBy] }), /Index Scan/)
  assert.match(
    await explain({ orderBy: [{ seen: 'DESC_NULLS_LAST' }], last: 20, first: undefined }),
    /Index Scan Backward/,
  )
  const after = Buffer.from(JSON.stringify(['rank DESC,id DESC', 500, 'i500'])).toString('base64url')
  const plan = await explain({ orderBy: [{ rank: 'DESC' }], after })
  assert.doesNotMatch(plan, /Seq Scan/, plan)
  assert.match(plan, /Index Cond/, plan)
})
