import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { updateAttribute } from '../../src/modules/attributes/update.ts'
import { jsonExpression, textVector } from '../../src/modules/collections/table-indexes.ts'
import { createIndex, type NewIndex } from '../../src/modules/indexes/indexes.ts'
import { createTables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { smallTable } from './step.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

const attributes = [
  { key: 'title', type: 'STRING', size: 50 },
  { key: 'body', type: 'TEXT' },
  { key: 'number', type: 'DECIMAL' },
  { key: 'tags', type: 'STRING', size: 20, list: true },
  { key: 'numbers', type: 'INTEGER', list: true },
  { key: 'extra', type: 'JSON' },
  { key: 'place', type: 'POINT' },
  { key: 'way', type: 'LINE' },
  { key: 'area', type: 'POLYGON' },
] as const

const kinds: [index: Omit<NewIndex, 'key'>, definition: string, finds: string][] = [
  [
    {
      type: 'KEY',
      attributes: ['title', 'number', 'createdAt'],
      orders: ['DESC', 'ASC_NULLS_FIRST', 'DESC_NULLS_LAST'],
    },
    'btree (title DESC, number NULLS FIRST, "_createdAt" DESC)',
    `title = 'title 7'`,
  ],
  [{ type: 'UNIQUE', attributes: ['number'] }, 'unique btree (number)', 'number = 7'],
  [
    { type: 'FULLTEXT', attributes: ['title', 'body'], language: 'english' },
    `gin (to_tsvector('english'::regconfig, COALESCE(title, ''::text)), to_tsvector('english'::regconfig, COALESCE(body, ''::text)))`,
    `${textVector('body', 'english')} @@ websearch_to_tsquery('english', 'words7')`,
  ],
  [
    { type: 'FULLTEXT', attributes: ['body'] },
    `gin (to_tsvector('simple'::regconfig, COALESCE(body, ''::text)))`,
    `${textVector('body', 'simple')} @@ plainto_tsquery('simple', 'words7')`,
  ],
  [{ type: 'GIN', attributes: ['tags', 'numbers'] }, 'gin (tags, numbers)', `numbers @> '{7}'`],
  [
    { type: 'GIN', attributes: ['extra'] },
    'gin (((extra)::jsonb) jsonb_path_ops)',
    `(${jsonExpression('extra')}) @> '{"i": 7}'`,
  ],
  [
    { type: 'TRIGRAM', attributes: ['title', 'body'] },
    'gin (title gin_trgm_ops, body gin_trgm_ops)',
    `body like '%ords7%'`,
  ],
  [{ type: 'SPATIAL', attributes: ['place'] }, 'gist (place)', `place <@ box '(7,7),(7,7)'`],
  [{ type: 'SPATIAL', attributes: ['area'] }, 'gist (area)', `area && polygon '((7,7),(7,7.1),(7.1,7))'`],
  [
    { type: 'SPATIAL', attributes: ['way'] },
    'gist (box(polygon(pclose(way))))',
    `box(polygon(pclose(way))) && box '(7,7),(7,7)'`,
  ],
]

for (const [size, rows] of [
  ['small', 100],
  ['large', smallTable + 1],
] as const) {
  test(`each kind of index is built on a ${size} table, and found by what it is for`, async () => {
    const { ctx, sql, tableOf, make, applyAll, insertDocuments, indexesOf } = await createTables(world)
    const id = await make({ key: 'things', attributes })
    await insertDocuments(
      id,
      rows,
      ', title, body, number, tags, numbers, extra, place, way, area',
      `, 'title ' || i, 'some words' || i, i, array['t' || i], array[i], json_build_object('i', i), point(i, i),
       path(polygon(box(point(i, i), point(i + 0.5, i + 0.5)))), polygon(box(point(i, i), point(i + 0.5, i + 0.5)))`,
    )
    await sql(`update ${tableOf(id)} set way = popen(way)`)
    for (const [i, [index]] of kinds.entries()) await createIndex(ctx, { collectionId: id, key: `i${i}`, ...index })
    await applyAll()
    const made = await ctx.db.index.findMany({ where: { collectionId: id } })
    assert.deepEqual(
      made.map(({ key, status, statusReason }) => [key, status, statusReason]),
      kinds.map((_, i) => [`i${i}`, 'AVAILABLE', null]),
    )
    assert.deepEqual(await indexesOf(id), ['gin (_read)', ...kinds.map(([, definition]) => definition)].sort())
    if (size === 'small') return
    const client = new pg.Client({ connectionString: world.env.DATABASE_URL })
    await client.connect()
    await client.query(`analyze ${tableOf(id)}; set enable_seqscan = off`)
    for (const [index, , finds] of kinds) {
      const { rows: plan } = await client.query(`explain (costs off) select "_id" from ${tableOf(id)} where ${finds}`)
      assert.match(JSON.stringify(plan), /idx_/, index.type)
      const found = await client.query(`select "_id" from ${tableOf(id)} where ${finds}`)
      assert.ok(
        found.rows.some(({ _id }) => _id === 'doc7'),
        JSON.stringify([index, found.rows]),
      )
    }
    await client.end()
  })
}

test('what the server lacks is said, and nothing is half made', async () => {
  const { ctx, sql, make, applyAll, addAttribute, columnsOf } = await createTables(world)
  const installed = await sql(`select 1 from pg_available_extensions where name = 'vector'`)
  const id = await make({
    key: 'things',
    attributes: [{ key: 'first', type: 'VECTOR', dimensions: 3 }],
    indexes: [{ key: 'near', type: 'VECTOR', attributes: ['first'], distance: 'COSINE' }],
  })
  const collection = await ctx.db.collection.findUniqueOrThrow({
    where: { id },
    include: { attributes: true, indexes: true },
  })
  assert.equal(collection.status, 'AVAILABLE')
  const [expected, reason] =
    installed.length > 0
      ? (['AVAILABLE', /^$/] as const)
      : (['FAILED', /extension “vector”, which this PostgreSQL server lacks/] as const)
  assert.deepEqual([collection.attributes[0]?.status, collection.indexes[0]?.status], [expected, expected])
  assert.match(collection.attributes[0]?.statusReason ?? '', reason)
  const later = await addAttribute(id, { key: 'second', type: 'VECTOR', dimensions: 3 })
  assert.equal(later.status, expected)
  if (expected === 'AVAILABLE') {
    for (const [i, distance] of (['EUCLIDEAN', 'COSINE', 'DOT'] as const).entries())
      await createIndex(ctx, { collectionId: id, key: `i${i}`, type: 'VECTOR', attributes: ['second'], distance })
    await applyAll()
    assert.equal(await ctx.db.index.count({ where: { collectionId: id, status: 'AVAILABLE' } }), 4)
  } else {
    assert.equal((await columnsOf(id)).length, 7)
  }
})

test('a text that is too long for its index keeps the index from being made', async () => {
  const { ctx, sql, tableOf, make, applyAll } = await createTables(world)
  const id = await make({ key: 'things', attributes: [{ key: 'url', type: 'URL' }] })
  const long = `(select string_agg(md5(i::text), '') from generate_series(1, 200) i)`
  await sql(`insert into ${tableOf(id)} ("_id", url) values ('a', ${long})`)
  await createIndex(ctx, { collectionId: id, key: 'byUrl', type: 'KEY', attributes: ['url'] })
  await applyAll()
  const { status, statusReason } = await ctx.db.index.findFirstOrThrow({ where: { collectionId: id } })
  assert.deepEqual([status, statusReason], ['FAILED', 'A document has a value that is too long for an index.'])
})

test('an index says where nulls come while there may be any, and no longer once there are none', async () => {
  const { ctx, make, applyAll, indexesOf } = await createTables(world)
  const keys = ['a', 'b'].map((key) => ({ key, type: 'INTEGER' }) as const)
  const collectionId = await make({ key: 'things', attributes: keys })
  const orders = ['DESC_NULLS_LAST', 'ASC'] as const
  for (const type of ['KEY', 'UNIQUE'] as const)
    await createIndex(ctx, { collectionId, key: type.toLowerCase(), type, attributes: ['a', 'b'], orders })
  await applyAll()
  const { id } = await ctx.db.attribute.findFirstOrThrow({ where: { collectionId, key: 'a' } })
  for (const [required, on] of [
    [false, 'btree (a DESC NULLS LAST, b)'],
    [true, 'btree (a DESC, b)'],
    [false, 'btree (a DESC NULLS LAST, b)'],
  ] as const) {
    await updateAttribute(ctx, { id, required })
    await applyAll()
    assert.deepEqual(await indexesOf(collectionId), [on, 'gin (_read)', `unique ${on}`], `${required}`)
  }
})
