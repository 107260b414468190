import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createWorld, type World } from '../testing/world.ts'
import type { Image } from './image.ts'
import { isLoggedAs } from './logged-as.ts'
import type { Column } from './model.ts'
import { type ColumnType, types } from './types.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

const isLogged = (type: ColumnType, value: unknown, rest: Partial<Column> = {}) => {
  const column = { name: 'a', attributeId: 'att', type, required: false, list: false, encrypted: false, ...rest }
  return isLoggedAs(column as Column, { a: value } as unknown as Image)
}

/** What a column may hold, though some of it is refused of whoever writes it. */
const held: Partial<Record<ColumnType, readonly string[]>> = {
  STRING: ['a', ''],
  EMAIL: ['a..b@x.org', 'a b@c', 'x'.repeat(500)],
  URL: ['https://%zz', 'https://a b', 'x'.repeat(5_000)],
  ENUM: ['gone'],
  INTEGER: ['0', '-2147483648', '2147483647'],
  BIGINT: ['0', '-9223372036854775808', '9223372036854775807'],
  FLOAT: ['0', '-0', '1.5', '1e300', '1e-300'],
  DECIMAL: ['0', '-1.50', '1'.repeat(150), `0.${'1'.repeat(150)}`],
  BOOLEAN: ['true', 'false'],
  DATE: ['0001-01-01', '9999-12-31', '10000-01-01'],
  DATETIME: ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59-12'],
  IP: ['1.2.3.4', '::', '::ffff:1.2.3.4', 'FE80::1'],
  UUID: ['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
}

test('whatever a column holds was logged as what it is', async () => {
  for (const [type, texts] of Object.entries(held) as [ColumnType, string[]][]) {
    const { sql, json } = types[type]
    const { rows } = await world.app.sql.query<{ answer: string }>(
      `select ${json('v')} as answer from unnest($1::text[]::${sql}[]) v`,
      [texts],
    )
    for (const { answer } of rows) assert.ok(isLogged(type, JSON.parse(answer)), `${type} ${answer.slice(0, 50)}`)
  }
})

test('what was logged as another type is told from it', () => {
  const others: [ColumnType, unknown][] = [
    ['STRING', 1],
    ['EMAIL', true],
    ['INTEGER', 1.5],
    ['INTEGER', '1'],
    ['INTEGER', 2 ** 31],
    ['BIGINT', 1],
    ['BIGINT', '1.0'],
    ['BIGINT', 'ten'],
    ['FLOAT', '1'],
    ['DECIMAL', 1],
    ['DECIMAL', 'ten'],
    ['BOOLEAN', 'true'],
    ['DATE', '2026-01-01T00:00:00.000Z'],
    ['DATETIME', '2026-01-01'],
    ['IP', 'face'],
    ['UUID', 'a'],
    ['STRING', ['a']],
  ]
  for (const [type, value] of others) assert.equal(isLogged(type, value), false, `${type} ${value}`)
  assert.equal(isLogged('STRING', 'a', { list: true }), false)
  assert.equal(isLogged('STRING', ['a'], { list: true }), true)
  assert.equal(isLogged('STRING', null, { required: true }), false)
  assert.equal(isLogged('STRING', null), true)
})
