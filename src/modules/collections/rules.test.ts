import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttributeType } from '../../../prisma/client/enums.ts'
import { Invalid } from '../../errors.ts'
import { type NewRule, ruleTexts } from './rules.ts'

const field = (key: string, type: AttributeType, more = {}) => ({
  key,
  type,
  list: false,
  encrypted: false,
  relation: null,
  ...more,
})
const fields = [
  field('title', 'STRING'),
  field('price', 'DECIMAL'),
  field('open', 'BOOLEAN'),
  field('since', 'DATE'),
  field('tags', 'STRING', { list: true }),
  field('days', 'DATE', { list: true }),
  field('secret', 'STRING', { encrypted: true }),
  field('place', 'POINT'),
  field('author', 'RELATION', { relation: 'MANY_TO_ONE' }),
  field('friends', 'RELATION', { relation: 'MANY_TO_MANY' }),
]

const read = (where: unknown) =>
  JSON.parse(ruleTexts([{ right: 'read', role: 'users', where }], fields, ['rules']))[0].where

test('a rule keeps what it is asked, values as their types have them', () => {
  const where = {
    author: { eq: '$userId' },
    or: [{ title: { startsWith: '$USD', ne: '$usage' } }, { not: { open: { eq: true } } }],
    tags: { isNull: false, has: '$userId' },
    and: [{ days: { has: '2026-11-23' } }],
    place: { isNull: true },
    id: { in: ['a', 'b'] },
    createdAt: { lt: '2026-11-24T00:00:00.000Z' },
  }
  assert.deepEqual(read(where), where)
  assert.deepEqual(read({ price: { gte: 1 } }), { price: { gte: '1' } })
  assert.deepEqual(read({}), {})
})

test('WRITE stands for three rules', () => {
  const rules = JSON.parse(ruleTexts([{ right: 'write', role: 'label:staff', where: {} }], fields, ['rules']))
  assert.deepEqual(
    rules.map(({ right }: NewRule) => right),
    ['create', 'update', 'delete'],
  )
})

test('what a rule cannot ask is refused with its path', () => {
  let deep: unknown = {}
  for (let i = 0; i < 11; i += 1) deep = { not: deep }
  const wrong: [where: unknown, ...at: string[]][] = [
    [null],
    [[]],
    ['title'],
    [undefined],
    [{ title: {} }, 'title'],
    [{ not: {} }, 'not'],
    [{ and: [] }, 'and'],
    [{ or: [{ title: { eq: 'a' } }, {}] }, 'or', '1'],
    [{ absent: { eq: 1 } }, 'absent'],
    [JSON.parse('{"__proto__":{"eq":1}}'), '__proto__'],
    [{ constructor: { eq: 1 } }, 'constructor'],
    [{ _read: { eq: 1 } }, '_read'],
    [{ title: 'a' }, 'title'],
    [{ title: { like: 'a' } }, 'title', 'like'],
    [{ title: { constructor: 'a' } }, 'title', 'constructor'],
    [{ title: { eq: 1 } }, 'title', 'eq'],
    [{ title: { eq: 'a\0' } }, 'title', 'eq'],
    [{ title: { eq: '\uD800' } }, 'title', 'eq'],
    [{ title: { eq: { ne: 'a' } } }, 'title', 'eq'],
    [{ title: { eq: null } }, 'title', 'eq'],
    [{ title: { in: 'a' } }, 'title', 'in'],
    [{ title: { in: ['a', 1] } }, 'title', 'in', '1'],
    [{ title: { in: ['$userId'] } }, 'title', 'in', '0'],
    [{ title: { eq: '$userID' } }, 'title', 'eq'],
    [{ title: { startsWith: '$user.id' } }, 'title', 'startsWith'],
    [{ title: { eq: '$userid' } }, 'title', 'eq'],
    [{ title: { eq: '$user' } }, 'title', 'eq'],
    [{ title: { gt: '$userId' } }, 'title', 'gt'],
    [{ title: { isNull: 'yes' } }, 'title', 'isNull'],
    [{ price: { eq: '$userId' } }, 'price', 'eq'],
    [{ price: { contains: '1' } }, 'price', 'contains'],
    [{ price: { lt: 'NaN' } }, 'price', 'lt'],
    [{ since: { lt: '275760-09-13' } }, 'since', 'lt'],
    [{ open: { gt: false } }, 'open', 'gt'],
    [{ tags: { eq: 'a' } }, 'tags', 'eq'],
    [{ tags: { has: ['a'] } }, 'tags', 'has'],
    [{ tags: { has: '$user' } }, 'tags', 'has'],
    [{ days: { has: '$userId' } }, 'days', 'has'],
    [{ days: { has: 'never' } }, 'days', 'has'],
    [{ title: { has: 'a' } }, 'title', 'has'],
    [{ author: { has: 'a' } }, 'author', 'has'],
    [{ secret: { eq: 'a' } }, 'secret'],
    [{ place: { eq: 1 } }, 'place', 'eq'],
    [{ friends: { eq: 'a' } }, 'friends'],
    [{ author: { name: { eq: 'a' } } }, 'author', 'name'],
    [{ or: {} }, 'or'],
    [{ and: [{ absent: {} }] }, 'and', '0', 'absent'],
    [deep, ...Array(10).fill('not')],
  ]
  for (const [where, ...at] of wrong) {
    assert.throws(
      () => read(where),
      (error) => error instanceof Invalid && error.at.join('.') === ['rules', '0', 'where', ...at].join('.'),
      JSON.stringify(where),
    )
  }
  assert.throws(() => read({ or: Array(101).fill({ title: { eq: 'a' } }) }), Invalid)
  const role = [{ right: 'read', role: 'everybody', where: {} }] as const
  assert.throws(() => ruleTexts(role, fields, []), { at: ['0', 'role'] })
  assert.throws(() => ruleTexts(Array(51).fill({ right: 'read', role: 'any', where: {} }), fields, ['rules']), {
    at: ['rules'],
  })
})
