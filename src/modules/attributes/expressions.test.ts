import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExpressionError, expressionKeys, expressionSql, renameInExpression } from './expressions.ts'

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

test('its attributes are known, and can be renamed', () => {
  const source = "lower(lower) || 'lower' || lower+lowers"
  assert.deepEqual([...expressionKeys(source)], ['lower', 'lowers'])
  assert.equal(renameInExpression(source, 'lower', 'lowercase'), "lower(lowercase) || 'lower' || lowercase+lowers")
  assert.equal(renameInExpression("'it''s' || a", 'a', 'bb'), "'it''s' || bb")
})
