import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { Invalid } from '../errors.ts'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'
import { type Image, matches } from './image.ts'
import { imageText } from './json.ts'
import { loadModel } from './load.ts'
import type { CollectionModel, ProjectModel, Rule } from './model.ts'
import { mayRead, readFilter } from './permissions.ts'
import { whereSql } from './related-sql.ts'
import { rulesOf } from './rules.ts'
import { openScope, type Roles } from './scope.ts'
import { hasRelated, parseWhere } from './where.ts'

let world: World
let model: ProjectModel
let things: CollectionModel
let images: Image[]

const texts = ['', 'a', 'A', 'ab', 'b', 'é', 'É', 'aÉ', 'Z', '\u{1F600}', '\uFFFD', '%', '_', "'", '\\', 'a\nb']
const numbers = [-(2 ** 31), -1, 0, 1, 2, 2 ** 31 - 1]
const moments = [
  '0001-01-01T00:00:00.000Z',
  '2026-01-01T00:00:00.000Z',
  '2026-01-01T00:00:00.001Z',
  '9999-12-31T23:59:59.999Z',
]
const roles = ['any', 'users', 'user:a', 'user:b']

before(async () => {
  world = await createWorld()
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, {
    things: {
      documentPermissions: true,
      permissions: ['read:label:staff'],
      attributes: {
        text: { type: 'STRING' },
        number: { type: 'INTEGER' },
        flag: { type: 'BOOLEAN' },
        moment: { type: 'DATETIME' },
        tags: { type: 'STRING', list: true },
        friend: { type: 'RELATION', to: 'things' },
      },
    },
  })
  model = await loadModel(world.app.sql, projectId)
  const [collection] = [...model.collections.values()]
  assert.ok(collection)
  things = collection
  const pick = <T>(list: readonly T[], i: number) => (i % 5 === 4 ? null : list[i % list.length])
  for (let i = 0; i < 60; i++) {
    await world.app.sql.query(
      `insert into ${things.table} ("_id", "_createdAt", "_read", text, number, flag, moment, tags, friend) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        `t${i}`,
        moments[1],
        roles.filter((_, bit) => (i >> bit) & 1),
        pick(texts, i),
        pick(numbers, i * 7 + 1),
        pick([true, false], i * 3),
        pick(moments, i * 11 + 2),
        i % 5 === 2 ? null : texts.filter((_, bit) => ((i * 5) >> bit) & 1),
        i % 3 === 1 ? `t${i >> 1}` : null,
      ],
    )
  }
  const { rows } = await world.app.sql.query(
    `select ${imageText(things, 't')}::jsonb as image from ${things.table} t order by "_id"`,
  )
  images = rows.map(({ image }) => image)
})

after(() => world.close())

const some = <T>(values: fc.Arbitrary<T>) => fc.array(values, { maxLength: 3 })
const one = (operators: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc.oneof(...Object.entries(operators).map(([name, value]) => value.map((operand) => ({ [name]: operand }))))
const sameness = <T>(eq: fc.Arbitrary<T>) => ({ eq, ne: eq, isNull: fc.boolean() })
const ordered = <T>(value: fc.Arbitrary<T>) => ({
  ...sameness(value),
  in: some(value),
  notIn: some(value),
  gt: value,
  gte: value,
  lt: value,
  lte: value,
  between: fc.tuple(value, value),
  notBetween: fc.tuple(value, value),
})
const text = fc.constantFrom(...texts)
const parts = [
  'contains',
  'notContains',
  'startsWith',
  'notStartsWith',
  'endsWith',
  'notEndsWith',
  'ieq',
  'icontains',
  'istartsWith',
  'iendsWith',
]
const leaf = fc.record(
  {
    text: one({ ...ordered(text), ...Object.fromEntries(parts.map((name) => [name, text])) }),
    tags: one({
      has: text,
      hasAny: some(text),
      hasAll: some(text),
      hasNone: some(text),
      isEmpty: fc.boolean(),
      isNull: fc.boolean(),
      length: fc.record({ gt: fc.nat(4), lte: fc.nat(6), eq: fc.nat(5) }, { requiredKeys: [] }),
    }),
    number: one(ordered(fc.constantFrom(...numbers))),
    flag: one(sameness(fc.boolean())),
    moment: one(ordered(fc.constantFrom(...moments))),
    id: one({ eq: fc.constantFrom('t1', 't2'), in: some(fc.constantFrom('t3', 't4')) }),
  },
  { requiredKeys: [] },
)
const { where } = fc.letrec((tie) => ({
  where: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ and: fc.array(tie('where'), { maxLength: 2 }) }),
    fc.record({ or: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ not: tie('where') }),
  ),
}))

async function idsBySql(
  filter: (scope: ReturnType<typeof openScope>) => string,
  held: Roles = null,
  userId: string | null = null,
): Promise<string[]> {
  const scope = openScope(model, { roles: held, userId })
  const condition = filter(scope)
  const { rows } = await world.app.sql.query(
    `select "_id" as id from ${things.table} t where ${condition} order by "_id"`,
    scope.bound(),
  )
  return rows.map(({ id }) => id)
}

test('a filter answers the same of rows and of logged rows', async () => {
  await fc.assert(
    fc.asyncProperty(where, async (input) => {
      const condition = parseWhere(model, things, input, ['where'])
      const expected = images.filter((image) => matches(condition, image)).map(({ _id }) => _id)
      assert.deepEqual(await idsBySql((scope) => whereSql(scope, condition, 't')), expected)
    }),
    { numRuns: 400 },
  )
})

const operand = fc.record(
  {
    text: fc.oneof(
      fc.constant({ eq: '$userId' }),
      fc.constant({ ne: '$userId' }),
      one({ eq: text, in: some(text), contains: text, lt: text, isNull: fc.boolean() }),
    ),
    number: one({ gte: fc.constantFrom(...numbers), ne: fc.constantFrom(...numbers) }),
    moment: one({ lt: fc.constantFrom(...moments) }),
    friend: fc.constantFrom({ eq: '$userId' }, { ne: '$userId' }, { isNull: false }, { in: ['t1', 't2'] }),
    id: fc.constantFrom({ eq: '$userId' }, { in: ['t3', 't4'] }),
  },
  { requiredKeys: [] },
)
const ruled = fc.letrec<{ where: object }>((tie) => ({
  where: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    operand,
    fc.record({ and: fc.array(tie('where'), { maxLength: 2 }) }),
    fc.record({ or: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ not: tie('where') }),
  ),
})).where

test('the same rows may be read by SQL and by the log', async () => {
  const names = [...roles, 'label:staff', "user:'; drop table"]
  const held = fc.option(fc.subarray(names), { nil: null })
  const rule = fc.record({
    right: fc.constantFrom('read', 'read', 'update'),
    role: fc.constantFrom(...names),
    where: ruled,
  }) as fc.Arbitrary<Rule>
  const rules = fc.array(rule, { maxLength: 4 })
  const user = fc.constantFrom(null, 'a', 't1', 't7', "'", '$userId')
  let granted = 0
  await fc.assert(
    fc.asyncProperty(held, fc.boolean(), rules, user, async (holds: Roles, documentPermissions, some, userId) => {
      const collection = { ...things, documentPermissions, rules: some }
      assert.equal(rulesOf(collection).length, some.length)
      const caller = { roles: holds, userId }
      const expected = images.filter((image) => mayRead(collection, caller, image)).map(({ _id }) => _id)
      if (holds !== null && some.length > 0 && expected.length % images.length > 0) granted += 1
      assert.deepEqual(await idsBySql((scope) => readFilter(scope, collection, 't'), holds, userId), expected)
    }),
    { numRuns: 400 },
  )
  assert.ok(granted > 20, `only ${granted} rules granted something, and not everything`)
})

const refused = (input: unknown, path: string[]) => {
  assert.throws(
    () => parseWhere(model, things, input, ['where']),
    (error) => error instanceof Invalid && String(error.details.path) === String(path),
  )
}

test('what a filter cannot be is refused, with its path', () => {
  refused({ text: null }, ['where', 'text'])
  refused({ text: { eq: null } }, ['where', 'text', 'eq'])
  refused({ not: null }, ['where', 'not'])
  refused({ text: { eq: 'a\0' } }, ['where', 'text', 'eq'])
  refused({ text: { eq: '\ud800' } }, ['where', 'text', 'eq'])
  refused({ moment: { gt: new Date('+010000-01-01T00:00:00Z') } }, ['where', 'moment', 'gt'])
  refused({ constructor: { eq: 'a' } }, ['where', 'constructor'])
  refused({ number: { in: Array(5001).fill(1) } }, ['where', 'number', 'in'])
})

test('an endless filter is refused', () => {
  let deep: object = {}
  for (let i = 0; i < 100; i++) deep = { not: deep }
  refused(deep, ['where', 'not', 'not'])
  refused({ or: Array(300).fill({ text: { eq: 'a' } }) }, ['where', 'or', '99'])
})

test('a filter knows whether it looks at other documents', () => {
  assert.equal(hasRelated(parseWhere(model, things, { or: [{ not: { friend: {} } }] }, [])), true)
  assert.equal(hasRelated(parseWhere(model, things, { or: [{ not: { text: { eq: 'a' } } }] }, [])), false)
})
