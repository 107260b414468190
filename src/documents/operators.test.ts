import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Invalid } from '../errors.ts'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'
import { type Image, matches } from './image.ts'
import { imageText } from './json.ts'
import { loadModel } from './load.ts'
import type { CollectionModel, Column, ProjectModel } from './model.ts'
import { operatorsOf } from './operators.ts'
import { whereSql } from './related-sql.ts'
import { openScope } from './scope.ts'
import { bind, createSlot } from './slots.ts'
import { type ColumnType, types } from './types.ts'
import { columnType, paramOf } from './values.ts'
import { isLive, parseWhere } from './where.ts'

/** Values of each type at its edges, as the API is given them. */
const pools = {
  STRING: [
    '',
    'a',
    'A',
    'ab',
    'abc',
    '%',
    '_',
    '\\',
    '\\%',
    'a%b',
    "'",
    'É',
    'é',
    'café',
    'CAFÉ',
    '\u{1F600}',
    '\uFFFD',
    'a\nb',
    'ΑΣ',
    'ας',
    'K',
    'k',
    'İ',
    'i',
    '$1',
  ],
  TEXT: ['', 'A dog and two cats', 'cat', 'DOGS', 'x'.repeat(5000)],
  EMAIL: ['ann@example.org', 'Bob@Example.org', 'b_b@example.org'],
  URL: ['https://example.org/', 'https://example.org/100%25', 'http://a.b/_'],
  INTEGER: [-(2 ** 31), -1, 0, 1, 2 ** 31 - 1],
  BIGINT: ['-9223372036854775808', '-1', '0', '9007199254740993', '9223372036854775807'],
  FLOAT: [-1e308, -0.1, 0, 5e-324, 0.1, 1e15, 1e308],
  DECIMAL: ['-99999999999999999999.5', '0', '0.10', '0.1', '12345678901234567890123456789.000000001'],
  BOOLEAN: [true, false],
  DATETIME: [
    '0001-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00.001Z',
    '2026-06-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
  ],
  DATE: ['0001-01-01', '2026-02-28', '9999-12-31'],
  IP: ['0.0.0.0', '127.0.0.1', '255.255.255.255', '::', '2001:db8::1'],
  UUID: [
    '00000000-0000-0000-0000-000000000000',
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ],
  ENUM: ['one', 'two', 'three'],
} satisfies Partial<Record<ColumnType, readonly unknown[]>>

type Pooled = keyof typeof pools

const keyOf = (type: string, list: boolean) => `${type.toLowerCase()}${list ? 's' : ''}`

let world: World
let model: ProjectModel
let things: CollectionModel
let images: Image[]

before(async () => {
  world = await createWorld()
  const { projectId, owner } = await world.createProject()
  const attribute = (type: ColumnType, list: boolean) => {
    return [keyOf(type, list), { type, list, size: null, elements: type === 'ENUM' ? pools.ENUM : [] }] as const
  }
  const all = (Object.keys(pools) as Pooled[]).flatMap((type) => [attribute(type, false), attribute(type, true)])
  await createCollections(owner, { things: { attributes: Object.fromEntries(all) as never } })
  model = await loadModel(world.app.sql, projectId)
  const [collection] = [...model.collections.values()]
  assert.ok(collection)
  things = collection
  const own = [...things.columns.values()].filter(({ attributeId }) => attributeId !== null)
  for (let i = 0; i < 30; i++) await insert(own, i)
  const { rows } = await world.app.sql.query(
    `select ${imageText(things, 't')}::jsonb as image from ${things.table} t order by "_id"`,
  )
  images = rows.map(({ image }) => image)
})

after(() => world.close())

const poolOf = ({ type }: Pick<Column, 'type'>): readonly unknown[] => pools[type as Pooled]

async function insert(own: readonly Column[], i: number): Promise<void> {
  const values = own.map((column) => {
    const pool = poolOf(column).map((one) => types[column.type].parse(one, []))
    if (i === 29) return null
    if (!column.list) return paramOf(column, pool[i % pool.length] ?? null)
    return paramOf(column, pool.filter((_, bit) => ((i * 7) >> (bit % 7)) & 1).slice(0, 4))
  })
  const names = own.map(({ name }) => `"${name}"`).join(', ')
  const places = own.map((column, n) => `$${n + 2}::${columnType(column)}`).join(', ')
  await world.app.sql.query(`insert into ${things.table} ("_id", ${names}) values ($1, ${places})`, [
    `t${String(i).padStart(2, '0')}`,
    ...values,
  ])
}

async function found(where: object, variables: Record<string, unknown> = {}): Promise<string[]> {
  const scope = openScope(model, { roles: null, userId: null })
  const condition = whereSql(scope, parseWhere(model, things, where, ['where']), 't')
  const { rows } = await world.app.sql.query(
    `select "_id" as id from ${things.table} t where ${condition} order by "_id"`,
    bind(scope.values, { variables, roles: [], userId: null }),
  )
  return rows.map(({ id }) => id)
}

/** What each operator means, in SQL as one would write it: `c` is the column, `p` the operand. */
const plain: Readonly<Record<string, string>> = {
  isNull: '(c is null) = p',
  eq: 'c = p',
  ne: 'c is null or c <> p',
  in: 'exists (select from unnest(p) one where one = c)',
  notIn: 'not exists (select from unnest(p) one where one = c)',
  gt: 'c > p',
  gte: 'c >= p',
  lt: 'c < p',
  lte: 'c <= p',
  between: 'c >= p[1] and c <= p[2]',
  notBetween: 'c is null or c < p[1] or c > p[2]',
  contains: 'position(p in c) > 0',
  notContains: 'c is null or position(p in c) = 0',
  startsWith: 'left(c, length(p)) = p',
  notStartsWith: 'c is null or left(c, length(p)) <> p',
  endsWith: 'right(c, length(p)) = p',
  notEndsWith: 'c is null or right(c, length(p)) <> p',
  regex: 'regexp_match(c, p) is not null',
  search: `to_tsvector('english', c) @@ websearch_to_tsquery('english', p)`,
  has: 'p = any(c)',
  hasAny: 'exists (select unnest(c) intersect select unnest(p))',
  hasAll: 'c is not null and not exists (select unnest(p) except select unnest(c))',
  hasNone: 'not exists (select unnest(c) intersect select unnest(p))',
  isEmpty: `(array_length(c, 1) is null) = p and c is not null`,
  length: 'coalesce(array_length(c, 1), 0) > p and c is not null',
}

/** What no SQL says alike: letters without their case. */
const caseless: Readonly<Record<string, (text: string, part: string) => boolean>> = {
  ieq: (text, part) => text === part,
  icontains: (text, part) => text.includes(part),
  istartsWith: (text, part) => text.startsWith(part),
  iendsWith: (text, part) => text.endsWith(part),
}

type Case = { given: unknown; param: unknown; sql: string }

/** Operands for an operator: each as the API is given it, and as plain SQL is. */
function casesOf(column: Column, operator: string): Case[] {
  const item = types[column.type].sql
  const pool = poolOf(column)
  const read = (value: unknown) => types[column.type].parse(value, [])
  const lists = [[], pool, pool.slice(0, 2), pool.slice(-1)]
  switch (operator) {
    case 'isNull':
    case 'isEmpty':
      return [true, false].map((given) => ({ given, param: given, sql: 'boolean' }))
    case 'length':
      return [-1, 0, 2, 2 ** 31 - 1].map((count) => ({ given: { gt: count }, param: count, sql: 'int4' }))
    case 'in':
    case 'notIn':
    case 'hasAny':
    case 'hasAll':
    case 'hasNone':
      return lists.map((given) => ({ given, param: given.map(read), sql: `${item}[]` }))
    case 'between':
    case 'notBetween':
      return pool.flatMap((from) =>
        [pool[0], pool.at(-1)].map((to) => ({ given: [from, to], param: [from, to].map(read), sql: `${item}[]` })),
      )
    case 'search':
      return ['cats', 'dog -cat', '"two cats"', "'; drop", ''].map((words) => {
        return { given: { words, language: 'english' }, param: words, sql: 'text' }
      })
    case 'regex':
      return ['^a', 'é$', '[[:digit:]]', 'b|c', '\\\\', ''].map((given) => ({ given, param: given, sql: 'text' }))
    default:
      return [...pool, ...(item === 'text' && !column.list ? pools.STRING : [])].flatMap((given) => {
        const param = parsed(column, given)
        return param === undefined ? [] : [{ given, param, sql: item }]
      })
  }
}

/** The parts of an address need not be one. */
function parsed(column: Column, value: unknown): unknown {
  try {
    return types[column.type].parse(value, [])
  } catch {
    return undefined
  }
}

async function expected(column: Column, operator: string, { param, sql }: Case): Promise<string[]> {
  const fold = caseless[operator]
  if (fold) {
    const small = (value: unknown) =>
      String(value).replaceAll('\u212a', '\u0001').replaceAll('\u0130', '\u0002').toLowerCase()
    return images
      .filter((image) => image[column.name] !== null && fold(small(image[column.name]), small(param)))
      .map(({ _id }) => _id)
  }
  const condition = plain[operator]
  assert.ok(condition, `${operator} is not tested`)
  const text = condition
    .replaceAll(/\bc\b/g, `t."${column.name}"`)
    .replaceAll(/\bp\b/g, `$1::${sql}`)
    .replaceAll(/(\$1::[\w]+\[\])\[(\d)\]/g, '($1)[$2]')
  const { rows } = await world.app.sql.query(`select "_id" as id from ${things.table} t where ${text} order by "_id"`, [
    param,
  ])
  return rows.map(({ id }) => id)
}

for (const type of Object.keys(pools) as Pooled[]) {
  for (const list of [false, true]) {
    for (const operator of Object.keys(operatorsOf({ type, list }))) {
      test(`${operator} of ${list ? 'lists of ' : ''}${type}`, async () => {
        const column = things.columns.get(keyOf(type, list))
        assert.ok(column)
        for (const one of casesOf(column, operator)) {
          const where: object = { [column.key]: { [operator]: one.given } }
          const ids = await found(where)
          assert.deepEqual(ids, await expected(column, operator, one), JSON.stringify(where))
          if (isAlone(one.given)) {
            const later: object = { [column.key]: { [operator]: createSlot(['v']) } }
            assert.deepEqual(await found(later, { v: one.given }), ids, JSON.stringify(where))
          }
          const condition = parseWhere(model, things, where, [])
          if (!isLive(condition)) continue
          const logged = images.filter((image) => matches(condition, image)).map(({ _id }) => _id)
          assert.deepEqual(logged, ids, JSON.stringify(where))
        }
      })
    }
  }
}

/** What a variable may stand for in a statement that is compiled once. */
const isAlone = (given: unknown) => typeof given !== 'boolean' && (Array.isArray(given) || typeof given !== 'object')

const refused = (where: object, path: string) => {
  assert.throws(
    () => parseWhere(model, things, where, ['where']),
    (error) => error instanceof Invalid && String(error.details.path) === `where,${path.replaceAll('.', ',')}`,
    JSON.stringify(where),
  )
}

test('what no value of a type can be is refused, with its path', () => {
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, '1', { gt: 1 }, [1], true])
    refused({ integer: { eq: value } }, 'integer.eq')
  for (const value of ['9223372036854775808', '-9223372036854775809', '1e3', 2 ** 53, 1.5])
    refused({ bigint: { gt: value } }, 'bigint.gt')
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '1', null]) refused({ float: { lt: value } }, 'float.lt')
  for (const value of ['NaN', '1e5', 'Infinity', `1${'0'.repeat(100)}`])
    refused({ decimal: { eq: value } }, 'decimal.eq')
  for (const value of ['0000-01-01T00:00:00Z', '+275760-09-13T00:00:00Z', 'now', ''])
    refused({ datetime: { eq: value } }, 'datetime.eq')
  for (const value of ['0000-01-01', '2026-02-30', '275760-09-13']) refused({ date: { eq: value } }, 'date.eq')
  for (const value of ['\ud800', 'a\0b', 1, { contains: 'a' }]) {
    for (const operator of ['eq', 'contains', 'icontains', 'regex', 'notEndsWith'])
      refused({ string: { [operator]: value } }, `string.${operator}`)
  }
  refused({ string: { regex: 'x'.repeat(1001) } }, 'string.regex')
  refused({ string: { search: { words: 'x'.repeat(1001) } } }, 'string.search.words')
  refused({ string: { search: { words: 'x', language: "english'" } } }, 'string.search.language')
  refused({ integer: { between: [1] } }, 'integer.between')
  refused({ integer: { between: [1, 2, 3] } }, 'integer.between')
  refused({ integer: { in: Array(5001).fill(1) } }, 'integer.in')
  refused({ integers: { hasAny: Array(5001).fill(1) } }, 'integers.hasAny')
  refused({ integers: { length: { gt: 0.5 } } }, 'integers.length.gt')
  refused({ integers: { eq: [1] } }, 'integers.eq')
  refused({ string: { constructor: 'a' } }, 'string.constructor')
  refused({ string: { has: 'a' } }, 'string.has')
})
