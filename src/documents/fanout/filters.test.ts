import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Logged } from '../change.ts'
import { type Image, matches } from '../image.ts'
import type { Column } from '../model.ts'
import { type Condition, parseOwnWhere } from '../where.ts'
import { createFilters } from './filters.ts'

const column = (key: string, type: Column['type']) =>
  [key, { key, name: `c_${key}`, type, list: false } as Column] as const
const columns = new Map([column('title', 'STRING'), column('views', 'INTEGER'), column('price', 'DECIMAL')])
const parse = (where: object): Condition => parseOwnWhere(columns, where, [], new Map())

const text = fc.constantFrom('a', 'b', 'c')
const number = fc.integer({ min: 0, max: 2 })
const comparison = fc.oneof(
  fc.record({ title: fc.record({ eq: text }) }),
  fc.record({ title: fc.record({ in: fc.array(text) }) }),
  fc.record({ title: fc.record({ ne: text }) }),
  fc.record({ views: fc.record({ eq: number }) }),
  fc.record({ views: fc.record({ gt: number }) }),
  fc.record({ price: fc.record({ eq: fc.constantFrom('1', '1.0', '2') }) }),
)
const where = fc.oneof(
  comparison,
  fc.record({ and: fc.array(comparison, { minLength: 1, maxLength: 3 }) }),
  fc.record({ or: fc.array(comparison, { minLength: 1, maxLength: 3 }) }),
  fc.record({ not: comparison }),
)
const image = fc.record({
  c_title: fc.option(text),
  c_views: fc.option(number),
  c_price: fc.option(fc.constantFrom('1', '1.0', '2.00')),
})
const logged = fc
  .record({ before: fc.option(image), after: fc.option(image) })
  .map((images) => ({ ...images, collectionId: 'c', id: 'i', changed: [] }) as unknown as Logged)

test('a change finds every filter that matches one of its rows', () => {
  fc.assert(
    fc.property(fc.array(where, { maxLength: 20 }), logged, (wheres, change) => {
      const conditions = wheres.map(parse)
      const filters = createFilters<Condition>()
      for (const condition of conditions) filters.add(condition, condition)
      const found = new Set(filters.find(change))
      const isMatched = (condition: Condition) =>
        [change.before, change.after].some((one: Image | null) => one !== null && matches(condition, one))
      for (const condition of conditions.filter(isMatched)) assert.ok(found.has(condition))
      for (const condition of conditions) filters.remove(condition, condition)
      assert.equal([...filters.find(change)].length, 0)
    }),
  )
})

test('of many filters that ask for a value, those that ask for this one are found', () => {
  const filters = createFilters<string>()
  for (let i = 0; i < 1_000; i += 1)
    filters.add(parse({ and: [{ title: { eq: `t${i}` } }, { views: { gt: 1 } }] }), `f${i}`)
  filters.add(null, 'all')
  const change = { before: { c_title: 't1' }, after: { c_title: 't7' } } as unknown as Logged
  assert.deepEqual([...filters.find(change)].sort(), ['all', 'f1', 'f7'])
})
