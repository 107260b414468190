import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { NewAttribute } from '../../src/modules/attributes/shape.ts'
import { type AttributeChanges, checkAttributeChange, updateAttribute } from '../../src/modules/attributes/update.ts'
import { createTables, type Tables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { applySchemaChanges } from './apply.ts'
import { failOverdue } from './overdue.ts'
import { smallTable } from './step.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

type Changes = Omit<AttributeChanges, 'id'>

/** A collection with one attribute `a`, and documents that have these values of it, as SQL. */
async function begin(attribute: Omit<NewAttribute, 'key'>, values: readonly string[]) {
  const tables = await createTables(world)
  const { ctx, sql, tableOf, make, applyAll } = tables
  const id = await make({ key: 'things', attributes: [{ key: 'a', ...attribute }] })
  for (const [i, value] of values.entries())
    await sql(`insert into ${tableOf(id)} ("_id", a) values ('doc${i + 1}', ${value})`)
  const { id: attributeId } = await ctx.db.attribute.findFirstOrThrow({ where: { collectionId: id } })
  const now = () => ctx.db.attribute.findUniqueOrThrow({ where: { id: attributeId } })
  const change = async (changes: Changes) => {
    await updateAttribute(ctx, { id: attributeId, ...changes })
    await applyAll()
    return now()
  }
  const check = (changes: Changes) => checkAttributeChange(ctx, { id: attributeId, ...changes })
  const valuesOf = async () => (await sql(`select a from ${tableOf(id)} order by "_id"`)).map(({ a }) => a)
  return { ...tables, id, attributeId, now, change, check, valuesOf }
}

const enumOf = (...elements: string[]): Changes => ({ type: 'ENUM', elements })
const moment = '2026-11-24T10:00:00.000Z'

const possible: [from: Omit<NewAttribute, 'key'>, values: string[], to: Changes, expected: unknown[]][] = [
  [{ type: 'STRING', size: 11 }, [`'1'`, `'-2147483648'`, 'null'], { type: 'INTEGER' }, [1, -2147483648, null]],
  [{ type: 'TEXT' }, [`'9223372036854775807'`], { type: 'BIGINT' }, ['9223372036854775807']],
  [{ type: 'TEXT' }, [`'1e308'`, `'.5'`], { type: 'FLOAT' }, [1e308, 0.5]],
  [{ type: 'TEXT' }, [`'0.10'`], { type: 'DECIMAL' }, ['0.10']],
  [{ type: 'TEXT' }, [`'true'`, `'false'`], { type: 'BOOLEAN' }, [true, false]],
  [{ type: 'TEXT' }, [`'2026-11-24 12:00+02'`], { type: 'DATETIME' }, [new Date(moment)]],
  [
    { type: 'TEXT' },
    [`'00000000-0000-0000-0000-00000000000A'`],
    { type: 'UUID' },
    ['00000000-0000-0000-0000-00000000000a'],
  ],
  [{ type: 'TEXT' }, [`'::1'`], { type: 'IP' }, ['::1']],
  [{ type: 'TEXT' }, [`'a'`, `'b'`], enumOf('a', 'b'), ['a', 'b']],
  [{ type: 'TEXT' }, [`'ä@bücher.example'`], { type: 'EMAIL' }, ['ä@bücher.example']],
  [{ type: 'TEXT' }, [`'HTTPS://example.org'`, 'null'], { type: 'URL' }, ['HTTPS://example.org', null]],
  [{ type: 'TEXT' }, [`'abc'`], { type: 'STRING', size: 3 }, ['abc']],
  [{ type: 'STRING', size: 3, default: 'x' }, [`'abc'`], { default: null, type: 'TEXT' }, ['abc']],
  [{ type: 'INTEGER', default: 1 }, ['1'], { type: 'BIGINT', default: '2' }, ['1']],
  [{ type: 'INTEGER', min: 1 }, ['1'], { type: 'DECIMAL', min: '0.5' }, ['1']],
  [{ type: 'BIGINT' }, ['2147483647'], { type: 'INTEGER' }, [2147483647]],
  [{ type: 'DECIMAL' }, ['2.00'], { type: 'INTEGER' }, [2]],
  [{ type: 'FLOAT' }, ['0.1', '-9223372036854775808'], { type: 'DECIMAL' }, ['0.1', '-9223372036854780000']],
  [{ type: 'DATETIME' }, [`'${moment}'`], { type: 'STRING', size: 30 }, [moment]],
  [{ type: 'DATE' }, [`'2026-11-24'`], { type: 'TEXT' }, ['2026-11-24']],
  [{ type: 'DATE' }, [`'2026-11-24'`], { type: 'DATETIME' }, [new Date('2026-11-24T00:00:00Z')]],
  [{ type: 'IP' }, [`'10.0.0.1'`], { type: 'TEXT' }, ['10.0.0.1']],
  [{ type: 'BOOLEAN' }, ['true'], { type: 'TEXT' }, ['true']],
  [{ type: 'ENUM', elements: ['a'] }, [`'a'`], { type: 'STRING', size: 1 }, ['a']],
  [{ type: 'INTEGER' }, ['1', 'null'], { list: true }, [[1], null]],
  [{ type: 'INTEGER', list: true }, [`'{1}'`, `'{}'`, 'null'], { list: false }, [1, null, null]],
  [{ type: 'STRING', size: 3, list: true }, [`'{a}'`], { type: 'TEXT' }, [['a']]],
]

for (const [from, values, to, expected] of possible) {
  const name = `${from.list ? 'list of ' : ''}${from.type} to ${JSON.stringify(to)}`
  test(`${name}: values become what they mean`, async () => {
    const { change, check, valuesOf } = await begin(from, values)
    // An integer that PostgreSQL rounds on its way to a decimal is one of the next test.
    const given = from.type === 'FLOAT' ? values.slice(0, 1) : values
    if (given.length === values.length) assert.deepEqual(await check(to), { possible: true, failing: 0, examples: [] })
    else return assert.equal((await check(to)).failing, 1)
    const attribute = await change(to)
    assert.deepEqual([attribute.status, attribute.statusReason, attribute.change], ['AVAILABLE', null, null])
    if (to.type) assert.equal(attribute.type, to.type)
    assert.deepEqual(await valuesOf(), expected)
  })
}

const impossible: (readonly [from: Omit<NewAttribute, 'key'>, value: string, to: Changes, reason: string])[] = [
  [{ type: 'TEXT' }, `'2147483648'`, { type: 'INTEGER' }, 'Its value cannot become INTEGER.'],
  [{ type: 'TEXT' }, `'0x1F'`, { type: 'INTEGER' }, 'Its value cannot become INTEGER.'],
  [{ type: 'TEXT' }, `''`, { type: 'BIGINT' }, 'Its value cannot become BIGINT.'],
  [{ type: 'TEXT' }, `'NaN'`, { type: 'FLOAT' }, 'Its value cannot become FLOAT.'],
  [{ type: 'TEXT' }, `'1e309'`, { type: 'FLOAT' }, 'Its value cannot become FLOAT.'],
  [{ type: 'TEXT' }, `'1e5'`, { type: 'DECIMAL' }, 'Its value cannot become DECIMAL.'],
  [{ type: 'TEXT' }, `'on'`, { type: 'BOOLEAN' }, 'Its value cannot become BOOLEAN.'],
  [{ type: 'TEXT' }, `'now'`, { type: 'DATETIME' }, 'Its value cannot become DATETIME.'],
  [{ type: 'TEXT' }, `'2026-02-30'`, { type: 'DATE' }, 'Its value cannot become DATE.'],
  [{ type: 'TEXT' }, `'0000-01-01'`, { type: 'DATE' }, 'Its value cannot become DATE.'],
  [{ type: 'TEXT' }, `'275760-09-13T00:00Z'`, { type: 'DATETIME' }, 'Its value cannot become DATETIME.'],
  [{ type: 'TEXT' }, `'9999-12-31T23:59:59-05:00'`, { type: 'DATETIME' }, 'Its value cannot become DATETIME.'],
  [{ type: 'TEXT' }, `'9999-12-31T23:59:59.9999Z'`, { type: 'DATETIME' }, 'Its value cannot become DATETIME.'],
  [{ type: 'TEXT' }, `'0001-01-01T00:00:00+10:00'`, { type: 'DATETIME' }, 'Its value cannot become DATETIME.'],
  [{ type: 'FLOAT' }, '5e-324', { type: 'DECIMAL' }, 'Its value cannot become DECIMAL.'],
  [{ type: 'TEXT' }, `'10.0.0.0/8'`, { type: 'IP' }, 'Its value cannot become IP.'],
  [{ type: 'TEXT' }, `'{a}'`, { type: 'UUID' }, 'Its value cannot become UUID.'],
  [{ type: 'TEXT' }, `'c'`, enumOf('a', 'b'), 'Its value is not one of the elements.'],
  ...['javascript:a', 'https://example.org:99999', 'https://1.2.3.256', 'https://[', 'https://a b'].map(
    (text) => [{ type: 'TEXT' }, `'${text}'`, { type: 'URL' }, 'Its value cannot become URL.'] as const,
  ),
  ...['a@b..org', '.a@b.org', 'a,b@c.org', 'a@b.o', 'a@-b.org', `${'a'.repeat(65)}@b.org`].map(
    (text) => [{ type: 'TEXT' }, `'${text}'`, { type: 'EMAIL' }, 'Its value cannot become EMAIL.'] as const,
  ),
  [{ type: 'TEXT' }, `repeat('a', 2048) || '@b.org'`, { type: 'EMAIL' }, 'Its value cannot become EMAIL.'],
  [{ type: 'TEXT' }, `'abcd'`, { type: 'STRING', size: 3 }, 'Its value is longer than 3 characters.'],
  [{ type: 'STRING', size: 5 }, `'abcd'`, { size: 3 }, 'Its value is longer than 3 characters.'],
  [{ type: 'STRING', size: 5 }, `'B'`, { pattern: '^[a-z]$' }, 'Its value does not match the pattern.'],
  [{ type: 'ENUM', elements: ['a', 'b'] }, `'b'`, { elements: ['a'] }, 'Its value is not one of the elements.'],
  [{ type: 'STRING', size: 5, list: true }, `'{a,abcd}'`, { size: 3 }, 'Its value is longer than 3 characters.'],
  [{ type: 'DATE' }, `'2026-11-24'`, { max: '2026-11-23' }, 'Its value is greater than 2026-11-23.'],
  [{ type: 'TEXT', encrypted: true }, 'null', { required: true }, 'It has no value.'],
  [{ type: 'INTEGER' }, '4', { min: 5 }, 'Its value is less than 5.'],
  [{ type: 'DECIMAL' }, '0.5', { type: 'INTEGER' }, 'Its value cannot become INTEGER.'],
  [{ type: 'FLOAT' }, '1e300', { type: 'BIGINT' }, 'Its value cannot become BIGINT.'],
  [{ type: 'BIGINT' }, '9007199254740993', { type: 'FLOAT' }, 'Its value cannot become FLOAT.'],
  [{ type: 'DATETIME' }, `'${moment}'`, { type: 'DATE' }, 'Its value cannot become DATE.'],
  [{ type: 'INTEGER', list: true }, `'{1,2}'`, { list: false }, 'Its value cannot become INTEGER.'],
  [{ type: 'INTEGER' }, 'null', { required: true }, 'It has no value.'],
]

for (const [from, value, to, reason] of impossible) {
  test(`${from.type} ${value} to ${JSON.stringify(to)}: the dry run says why not, and nothing is changed`, async () => {
    const { change, check, valuesOf, now, columnsOf, id, eventsOf } = await begin(from, [value])
    const earlier = [await valuesOf(), await columnsOf(id)]
    const stands = { possible: false, failing: 1, examples: [{ documentId: 'doc1', reason }] }
    assert.deepEqual(await check(to), stands)
    const before = await now()
    const attribute = await change(to)
    assert.equal(attribute.statusReason, `One document stands against it, as “doc1”: ${reason}`)
    assert.deepEqual({ ...attribute, statusReason: null, updatedAt: null }, { ...before, updatedAt: null })
    assert.deepEqual([await valuesOf(), await columnsOf(id)], earlier)
    assert.equal((await eventsOf())['attributes.updated a CHANGING'], 1)
  })
}

test('texts that are many, some of which are no e-mail addresses', async () => {
  const values = Array.from({ length: 2_500 }, (_, i) => (i % 250 === 0 ? `'a${i}@b..org'` : `'a${i}@b.org'`))
  const { check } = await begin({ type: 'TEXT' }, values)
  const { failing, examples } = await check({ type: 'EMAIL' })
  assert.deepEqual([failing, examples.length], [10, 10])
})

for (const [size, rows] of [
  ['small', 50],
  ['large', smallTable + 1],
] as const) {
  test(`an attribute of a ${size} table becomes unique, and no longer`, async () => {
    const { change, check, insertDocuments, id, sql, tableOf, indexesOf } = await begin({ type: 'INTEGER' }, [])
    await insertDocuments(id, rows, ', a', ', i')
    await sql(`update ${tableOf(id)} set a = 1 where "_id" in ('doc7', 'doc8')`)
    const { failing, examples } = await check({ unique: true })
    assert.deepEqual(
      [failing, examples[0]],
      [3, { documentId: 'doc1', reason: 'Another document has the same value.' }],
    )
    const refused = await change({ unique: true })
    assert.deepEqual([refused.unique, refused.status], [false, 'AVAILABLE'])
    assert.match(refused.statusReason ?? '', /^3 documents stand against it, as “doc1”: Another/)
    assert.deepEqual(await indexesOf(id), ['gin (_read)'])
    await sql(`update ${tableOf(id)} set a = null where a = 1`)
    assert.equal((await change({ unique: true })).unique, true)
    assert.deepEqual(await indexesOf(id), ['gin (_read)', 'unique btree (a)'])
    assert.equal((await change({ unique: false })).statusReason, null)
    assert.deepEqual(await indexesOf(id), ['gin (_read)'])
  })
}

test('rules of a column come and go, all in one', async () => {
  const { change, sql, tableOf, id, columnsOf } = await begin({ type: 'STRING', size: 3, default: 'a', pattern: 'a' }, [
    `'a'`,
  ])
  const insert = (value: string) => sql(`insert into ${tableOf(id)} ("_id", a) values (gen_random_uuid(), ${value})`)
  await change({ size: 5, pattern: null, default: null, required: true })
  await insert(`'bcdef'`)
  await assert.rejects(insert('null'), { code: '23502' })
  assert.equal((await columnsOf(id)).at(-1), 'a text C NO')
  await change({ required: false, default: 'b' })
  assert.equal((await columnsOf(id)).at(-1), `a text C YES 'b'::text`)
})

test('an index on the column stays through a change of its type', async () => {
  const tables = await createTables(world)
  const { ctx, make, applyAll, indexesOf } = tables
  const id = await make({
    key: 'things',
    attributes: [{ key: 'a', type: 'INTEGER', unique: true }],
    indexes: [{ key: 'byA', type: 'KEY', attributes: ['a', 'createdAt'], orders: ['DESC', 'ASC'] }],
  })
  const before = await indexesOf(id)
  const { id: attributeId } = await ctx.db.attribute.findFirstOrThrow({ where: { collectionId: id } })
  await updateAttribute(ctx, { id: attributeId, type: 'BIGINT' })
  await applyAll()
  assert.equal((await ctx.db.attribute.findUniqueOrThrow({ where: { id: attributeId } })).type, 'BIGINT')
  assert.deepEqual(await indexesOf(id), before)
})

test('what is done when a related document goes can be changed', async () => {
  const { ctx, sql, tableOf, make, applyAll } = await createTables(world)
  const id = await make({
    key: 'things',
    attributes: [{ key: 'a', type: 'RELATION', relatedCollectionId: 'self', onDelete: 'RESTRICT' }],
  })
  await sql(`insert into ${tableOf(id)} ("_id", a) values ('x', 'x'), ('y', 'x')`)
  const { id: attributeId } = await ctx.db.attribute.findFirstOrThrow({ where: { collectionId: id } })
  await updateAttribute(ctx, { id: attributeId, onDelete: 'SET_NULL' })
  await applyAll()
  await sql(`delete from ${tableOf(id)} where "_id" = 'x'`)
  assert.deepEqual(await sql(`select "_id", a from ${tableOf(id)}`), [{ _id: 'y', a: null }])
})

/** Asks for another change of whatever an attribute is by now. */
async function changeAgain(ctx: Tables['ctx'], id: string): Promise<void> {
  const attribute = await ctx.db.attribute.findUnique({ where: { id } }).catch(() => null)
  if (attribute?.status !== 'AVAILABLE') return
  const type = attribute.type === 'TEXT' ? 'INTEGER' : 'TEXT'
  await updateAttribute(ctx, { id, unique: false, type }).catch(() => null)
}

async function killing(tables: Tables, attributeId: string): Promise<void> {
  const { ctx } = tables
  const killer = new pg.Client({ connectionString: world.env.DATABASE_URL })
  await killer.connect()
  const signal = new AbortController().signal
  let kills = 0
  for (let i = 0; i < 60; i += 1) {
    const applied = applySchemaChanges(ctx, { signal, graceMs: 0 }).catch(() => false)
    await sleep(Math.random() * 12)
    const { rowCount } = await killer.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'tendril' and state <> 'idle'`,
    )
    kills += rowCount ?? 0
    if ((await applied) && kills > 3) break
    if (kills <= 3) await changeAgain(ctx, attributeId)
  }
  await killer.end()
  await sleep(200)
  assert.ok(kills > 0, 'nothing was killed')
}

test('connections that die in the middle leave the old column or the new one, never half of it', async () => {
  const tables = await begin({ type: 'INTEGER' }, [])
  const { insertDocuments, id, change, sql, tableOf, indexesOf, columnsOf, attributeId, applyAll, now } = tables
  await insertDocuments(id, smallTable + 1, ', a', ', i')
  await updateAttribute(tables.ctx, { id: attributeId, type: 'DECIMAL' })
  await killing(tables, attributeId)
  await applyAll()
  const { type, status } = await now()
  assert.equal(status, 'AVAILABLE')
  const sqlTypes: Record<string, string> = { INTEGER: 'integer', DECIMAL: 'numeric', TEXT: 'text' }
  assert.equal((await columnsOf(id)).at(-1)?.split(' ')[1], sqlTypes[type])
  await change({ type: 'INTEGER', unique: true })
  assert.deepEqual(await indexesOf(id), ['gin (_read)', 'unique btree (a)'])
  assert.deepEqual(await sql(`select count(*)::int as n, sum(a)::text as s from ${tableOf(id)}`), [
    { n: smallTable + 1, s: String(((smallTable + 1) * (smallTable + 2)) / 2) },
  ])
})

test('two workers make a change once; one that waits too long is given up and leaves all as it was', async () => {
  const { ctx, now, attributeId, applyAll, eventsOf, sql, tableOf, id } = await begin({ type: 'INTEGER' }, ['1'])
  await updateAttribute(ctx, { id: attributeId, type: 'TEXT' })
  await Promise.all([applyAll(), applyAll(), applyAll()])
  assert.equal((await eventsOf())['attributes.updated a AVAILABLE'], 2)
  const holder = new pg.Client({ connectionString: world.env.DATABASE_URL })
  await holder.connect()
  holder.on('error', () => {})
  await holder.query(`begin; insert into ${tableOf(id)} ("_id") values ('held')`)
  await updateAttribute(ctx, { id: attributeId, type: 'INTEGER', unique: true })
  await assert.rejects(applySchemaChanges(ctx, { signal: new AbortController().signal, graceMs: 0 }))
  assert.equal((await now()).status, 'CHANGING')
  await failOverdue({ ...ctx, clock: () => new Date(Date.now() + 11 * 60_000) }, 'test')
  const { type, status, statusReason } = await now()
  assert.deepEqual([type, status], ['TEXT', 'AVAILABLE'])
  assert.match(statusReason ?? '', /held the table for too long/)
  await holder.query('rollback')
  await holder.end()
  assert.deepEqual(await sql(`select a from ${tableOf(id)}`), [{ a: '1' }])
})
