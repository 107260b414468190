import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { AttributeType } from '../../../prisma/client/enums.ts'
import type { Context } from '../../context.ts'
import { createCollections } from '../../testing/collections.ts'
import { createWorld, type World } from '../../testing/world.ts'

let world: World
let ctx: Context

before(async () => {
  world = await createWorld()
})
beforeEach(async () => {
  ctx = (await world.createProject()).owner
})
after(() => world.close())

const sql = async (text: string) => (await world.app.sql.query(text)).rows

const columns: [AttributeType, expected: string, value: string][] = [
  ['STRING', 'text collate "C"', 'a'],
  ['TEXT', 'text collate "C"', 'a'],
  ['EMAIL', 'text collate "C"', 'a@example.org'],
  ['URL', 'text collate "C"', 'https://example.org'],
  ['ENUM', 'text collate "C"', 'a'],
  ['UUID', 'uuid', '00000000-0000-0000-0000-000000000000'],
  ['IP', 'inet', '::1'],
  ['INTEGER', 'integer', '1'],
  ['BIGINT', 'bigint', '9223372036854775807'],
  ['FLOAT', 'double precision', '1e308'],
  ['DECIMAL', 'numeric', '0.10'],
  ['BOOLEAN', 'boolean', 'true'],
  ['DATETIME', 'timestamp(3) with time zone', '2026-11-24T00:00:00Z'],
  ['DATE', 'date', '2026-11-24'],
]
const alone: typeof columns = [
  ['JSON', 'json', '{"b":1,"a":[]}'],
  ['POINT', 'point', '(1,2)'],
  ['LINE', 'path', '[(1,2),(3,4)]'],
  ['POLYGON', 'polygon', '((0,0),(1,0),(1,1))'],
]

test('each type has its column, lists too', async () => {
  const types = [...columns, ...alone]
  const single = types.map(([type]) => [type.toLowerCase(), { type, elements: type === 'ENUM' ? ['a'] : [] }])
  const lists = columns.map(([type]) => [`${type.toLowerCase()}s`, { type, list: true, elements: ['a'] }])
  const { things: id } = await createCollections(ctx, {
    things: { attributes: Object.fromEntries([...single, ...lists]) },
  })
  const table = `"${ctx.projectId}"."${id}"`
  const found = await sql(`select attname, format_type(atttypid, atttypmod)
    || case when attcollation = '"C"'::regcollation then ' collate "C"' else '' end as type
    from pg_attribute where attrelid = '${table}'::regclass and attnum > 7 order by attnum`)
  const expected = [
    ...types.map(([type, sqlType]) => [type.toLowerCase(), sqlType]),
    ...columns.map(([type, sqlType]) => [
      `${type.toLowerCase()}s`,
      sqlType.replace(/^[a-z 0-9()]*(?= collate|$)/, '$&[]'),
    ]),
  ]
  assert.deepEqual(
    found.map(({ attname, type }) => [attname, type]),
    expected,
  )
  for (const [i, [type, , value]] of types.entries()) {
    await sql(`insert into ${table} ("_id", "${type.toLowerCase()}") values ('${i}', '${value}')`)
  }
})

test('checks hold for values and for every item of a list, and are named by their attribute', async () => {
  const { things: id } = await createCollections(ctx, {
    things: {
      attributes: {
        title: { type: 'STRING', size: 3, pattern: "^[a-z' ]*$" },
        tags: { type: 'STRING', list: true, size: 3, pattern: '^[a-z]*$' },
        count: { type: 'INTEGER', min: '1', max: '5' },
        counts: { type: 'BIGINT', list: true, min: '"1"', max: '"9007199254740993"' },
        price: { type: 'DECIMAL', min: '"0.10"' },
        born: { type: 'DATE', max: '"2026-11-24"' },
        kind: { type: 'ENUM', elements: ['a', "it's"] },
        kinds: { type: 'ENUM', list: true, elements: ['a', 'b'] },
      },
    },
  })
  const table = `"${ctx.projectId}"."${id}"`
  const attributes = new Map(
    (await ctx.db.attribute.findMany({ where: { collectionId: id ?? '' } })).map((row) => [row.key, row.id]),
  )
  const insert = (key: string, value: string) =>
    sql(`insert into ${table} ("_id", ${key}) values (gen_random_uuid(), ${value})`)
  const cases: [key: string, suffix: string, wrong: string, right: string][] = [
    ['title', 'size', `'abcd'`, `'abc'`],
    ['title', 'pattern', `'AB'`, `'a '''`],
    ['tags', 'size', `'{a,abcd}'`, `'{a,abc}'`],
    ['tags', 'pattern', `'{a,B}'`, `'{}'`],
    ['tags', 'items', `'{a,null}'`, 'null'],
    ['tags', 'items', `array_fill('a'::text, '{5001}')`, `array_fill('a'::text, '{5000}')`],
    ['count', 'min', '0', '1'],
    ['count', 'max', '6', '5'],
    ['counts', 'min', `'{1,0}'`, `'{1}'`],
    ['counts', 'max', `'{9007199254740994}'`, `'{9007199254740993}'`],
    ['price', 'min', '0.09', '0.1'],
    ['born', 'max', `'2026-11-25'`, `'2026-11-24'`],
    ['kind', 'elements', `'c'`, `'it''s'`],
    ['kinds', 'elements', `'{a,c}'`, `'{b,a}'`],
  ]
  for (const [key, suffix, wrong, right] of cases) {
    await assert.rejects(insert(key, wrong), { code: '23514', constraint: `${attributes.get(key)}_${suffix}` })
    await insert(key, right)
  }
})

test('relations of each kind, to itself, and in a circle', async () => {
  const relation = (to: string, kind: 'ONE_TO_ONE' | 'MANY_TO_ONE' | 'MANY_TO_MANY') =>
    ({ type: 'RELATION', to, relation: kind, onDelete: 'CASCADE' }) as const
  const ids = await createCollections(ctx, {
    a: {
      attributes: {
        parent: relation('a', 'MANY_TO_ONE'),
        b: relation('b', 'ONE_TO_ONE'),
        friends: relation('a', 'MANY_TO_MANY'),
      },
    },
    b: { attributes: { as: relation('a', 'MANY_TO_MANY') } },
  })
  const tableOf = (id: string | undefined) => `"${ctx.projectId}"."${id}"`
  const idOf = async (key: string) =>
    (await ctx.db.attribute.findFirstOrThrow({ where: { projectId: ctx.projectId, key } })).id
  await sql(`insert into ${tableOf(ids.a)} ("_id", parent) values ('a1', 'a1'), ('a2', 'a1')`)
  await sql(`insert into ${tableOf(ids.b)} ("_id") values ('b1')`)
  await sql(`update ${tableOf(ids.a)} set b = 'b1' where "_id" = 'a1'`)
  const constraint = await idOf('b')
  await assert.rejects(sql(`update ${tableOf(ids.a)} set b = 'b1' where "_id" = 'a2'`), { constraint })
  const links = tableOf(await idOf('as'))
  await sql(`insert into ${links} values ('b1', 'a1'), ('b1', 'a2')`)
  await assert.rejects(sql(`insert into ${links} values ('b1', 'a1')`), { code: '23505' })
  await assert.rejects(sql(`insert into ${links} values ('b1', 'a3')`), { code: '23503' })
  await sql(`delete from ${tableOf(ids.a)} where "_id" = 'a2'`)
  assert.deepEqual(await sql(`select * from ${links}`), [{ _from: 'b1', _to: 'a1' }])
})

test('a computed column is made of others, whatever their columns are called', async () => {
  const { things: id } = await createCollections(ctx, {
    things: {
      attributes: {
        total: { type: 'DECIMAL', computed: 'round(price * count, 2)' },
        price: { type: 'DECIMAL', column: 'x"y' },
        count: { type: 'INTEGER' },
        name: { type: 'TEXT' },
        slug: {
          type: 'TEXT',
          unique: true,
          computed: "lower(replace(trim(name), ' ', '-')) || if(count > 1 and not isNull(price), '-' || count, '')",
        },
      },
      indexes: { bySlug: { type: 'KEY', attributes: ['slug', 'createdAt'], orders: ['DESC', 'ASC'] } },
    },
  })
  const table = `"${ctx.projectId}"."${id}"`
  await sql(`insert into ${table} ("_id", "x""y", count, name) values ('a', 1.005, 3, ' It''s New ')`)
  assert.deepEqual(await sql(`select total, slug from ${table}`), [{ total: '3.02', slug: "it's-new-3" }])
  await assert.rejects(sql(`insert into ${table} ("_id", "x""y", count, name) values ('b', 1, 3, 'it''s new')`), {
    code: '23505',
  })
})
