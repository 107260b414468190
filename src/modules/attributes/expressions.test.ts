import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { checkExpression, ExpressionError, expressionKeys, expressionSql, renameInExpression } from './expressions.ts'

const sql = (source: string) => expressionSql(source, (key) => `"${key}"`)

test('operators bind as they do in SQL', () => {
  assert.equal(sql('a + b * c - d'), '(("a" + ("b" * "c")) - "d")')
  assert.equal(sql('(a + b) * -c'), '(("a" + "b") * (- "c"))')
  assert.equal(sql('not a = b and c or d'), '(((not ("a" = "b")) and "c") or "d")')
  assert.equal(sql("a || '!' != b"), `((("a")::text || ('!'::text)::text) <> "b")`)
})

test('quotes, words of SQL and backslashes stay within their literal or column', () => {
  assert.equal(sql("'it''s'"), "'it''s'::text")
  assert.equal(sql("'a\\'"), " E'a\\\\'::text")
  assert.equal(sql('select'), '"select"')
})

test('what is computed is not much longer than what it is computed of', () => {
  assert.equal(sql("replace(a, 'x', b)"), `documents.replaced("a", 'x'::text, "b")`)
  const named = (times: number) => Array(times).fill('a').join(' || ')
  checkExpression(named(50))
  assert.throws(() => checkExpression(named(51)), ExpressionError)
  // Of what was made before that was a limit, the attributes still have to be known.
  assert.deepEqual([...expressionKeys(named(60))], ['a'])
  assert.ok(renameInExpression(named(60), 'a', 'b'))
})

test('what is not in the language is refused', () => {
  const wrong = [
    '',
    ' ',
    'a b',
    'a;b',
    'a --',
    '/* a */',
    'a::int',
    '$1',
    '"a"',
    "'a",
    'a.b',
    'a[1]',
    '@a',
    'pg_sleep(1)',
    'lower()',
    'lower(a, b)',
    'constructor(a)',
    '__proto__(a)',
    'a +',
    '+ a',
    '()',
    '(a',
    'a)',
    'if(a, b)',
    'a == b',
    'a\0b',
    "'a\0'",
    '\uD800',
    'é',
    'a'.repeat(1_001),
    `${'('.repeat(50)}a${')'.repeat(50)}`,
    `${'-'.repeat(60)}a`,
    'or',
    'a and',
    '1e308',
    '0x10',
    'lower(a)(b)',
  ]
  for (const source of wrong) assert.throws(() => sql(source), ExpressionError, source)
})

test('how deep it may be is said', () => {
  const nested = (levels: number) => `${'('.repeat(levels - 1)}a${')'.repeat(levels - 1)}`
  assert.equal(sql(nested(40)), '"a"')
  assert.throws(() => sql(nested(41)), new ExpressionError('It is nested more than 40 levels deep.'))
})

test('its attributes are known, and can be renamed', () => {
  assert.deepEqual([...expressionKeys('constructor + valueOf')], ['constructor', 'valueOf'])
  const source = "lower(lower) || 'lower' || lower+lowers"
  assert.deepEqual([...expressionKeys(source)], ['lower', 'lowers'])
  assert.equal(renameInExpression(source, 'lower', 'lowercase'), "lower(lowercase) || 'lower' || lowercase+lowers")
  assert.equal(renameInExpression("'it''s' || a", 'a', 'bb'), "'it''s' || bb")
  assert.equal(renameInExpression('if(true, a, true)', 'true', 'b'), 'if(true, a, true)')
})

test('whatever is written, PostgreSQL is given an expression over the attributes and nothing else', async () => {
  const words = [
    'a',
    'b',
    'n',
    '1',
    '0.5',
    "'x'",
    "'''; drop table t; --'",
    "'\\'",
    '(',
    ')',
    ',',
    '+',
    '-',
    '*',
    '/',
    '%',
    '||',
    '=',
    '!=',
    '<',
    '>=',
  ]
  const more = [
    'and',
    'or',
    'not',
    'lower(',
    'length(',
    'if(',
    'coalesce(',
    'concat(',
    'round(',
    'isNull(',
    'true',
    'null',
    '--',
    ';',
    '"',
    '::',
    '$1',
    '/*',
  ]
  const all = [...words, ...more]
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  let run = 0
  for (let i = 0; i < 20_000; i += 1) {
    const source = Array.from({ length: 1 + random(7) }, () => all[random(all.length)]).join(' ')
    let text: string
    try {
      text = sql(source)
    } catch (error) {
      assert.ok(error instanceof ExpressionError, source)
      continue
    }
    run += 1
    const of = `(select 'a'::text as a, null::text as b, 2 as n) t`
    const answer = await client.query(`select ${text} as value from ${of}`).catch((error) => error)
    if (answer instanceof Error)
      assert.match(String((answer as { code?: string }).code), /^(42|22)/, `${source}: ${answer}`)
    else assert.deepEqual([answer.fields?.length, answer.rows?.length], [1, 1], source)
  }
  await client.end()
  assert.ok(run > 200, String(run))
})
