import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSchema, getIntrospectionQuery, specifiedRules, validate } from 'graphql'
import { AppError } from '../errors.ts'
import { parseDocument } from './document.ts'
import { limits } from './limits.ts'

/** CPU time in milliseconds, the mean of twenty runs (the clock of some machines ticks no faster): what it costs, whatever else they do. */
function clock(work: () => unknown): number {
  const started = process.threadCpuUsage()
  for (let i = 0; i < 20; i += 1) work()
  const { user, system } = process.threadCpuUsage(started)
  return (user + system) / 20_000
}

const times = (n: number, make: (i: number) => string) => Array.from({ length: n }, (_, i) => make(i)).join(' ')

/** Each doubles the one after it: 2 to the power of 200 fields. */
const fanOut = `{ ...F0 } ${times(200, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F200 on Query { a }`

const bad: Record<string, { text: string; code: string }> = {
  '400 × 200 inline fragments': {
    text: `{ ${times(400, () => `... { ${times(200, () => '... { a }')} }`)} }`,
    code: 'LIMIT_EXCEEDED',
  },
  'fragment fan-out': { text: fanOut, code: 'LIMIT_EXCEEDED' },
  'a fragment in itself': { text: '{ ...A } fragment A on Query { b { ...A } }', code: 'INVALID' },
  'a variable that no object holds': { text: 'query ($__proto__: Int) { a(x: $__proto__) }', code: 'INVALID' },
  'fragments in each other': {
    text: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
    code: 'INVALID',
  },
  '10,000 aliases': { text: `{ ${times(10_000, (i) => `a${i}: a`)} }`, code: 'LIMIT_EXCEEDED' },
  '31 aliases': { text: `{ b { ${times(31, (i) => `a${i}: a`)} } }`, code: 'LIMIT_EXCEEDED' },
  '31 root fields': { text: `{ ${times(31, () => 'a')} }`, code: 'LIMIT_EXCEEDED' },
  '10,000 directives': { text: `{ a ${times(10_000, () => '@skip(if: false)')} }`, code: 'LIMIT_EXCEEDED' },
  '51 directives': { text: `{ a ${times(51, () => '@x')} }`, code: 'LIMIT_EXCEEDED' },
  '20,000 braces': { text: '{a'.repeat(20_000), code: 'LIMIT_EXCEEDED' },
  '900 braces': { text: `${'{a'.repeat(900)}${'}'.repeat(900)}`, code: 'LIMIT_EXCEEDED' },
  'a literal 1,900 lists deep': { text: `{ a(x: ${'['.repeat(950)}${']'.repeat(950)}) }`, code: 'LIMIT_EXCEEDED' },
  'a list of a million': { text: `{ a(x: [${'0 '.repeat(1_000_000)}]) }`, code: 'LIMIT_EXCEEDED' },
  'a type 1,000 lists deep': {
    text: `query ($x: ${'['.repeat(3_000)}Int${']'.repeat(3_000)}) { a }`,
    code: 'LIMIT_EXCEEDED',
  },
  'relations in a circle': { text: `${'{ a { b '.repeat(20)}${'} }'.repeat(20)}`, code: 'LIMIT_EXCEEDED' },
  '50,000 comments': { text: `${'#\n'.repeat(49_000)}{ a }`, code: 'LIMIT_EXCEEDED' },
  'text without an end': { text: `{ a(x: "${'x'.repeat(90_000)}`, code: 'syntax' },
  'the same object 300 times': { text: `{ b { ${times(300, () => 'b { a }')} } }`, code: 'LIMIT_EXCEEDED' },
  '20 objects in each of 20': {
    text: `{ b { ${times(20, () => `b { ${times(20, () => 'b { a }')} }`)} } }`,
    code: 'LIMIT_EXCEEDED',
  },
  '200 operations with one fragment': {
    text: `${times(200, (i) => `query Q${i} { ...F }`)} fragment F on Query { ${times(20, () => 'a')} }`,
    code: 'LIMIT_EXCEEDED',
  },
  'a NUL': { text: '{ a(x: "\\u0000") }', code: 'INVALID' },
  'half a surrogate pair': { text: '{ a(x: "\ud800") }', code: 'syntax' },
  'four introspections': {
    text: `{ ${times(4, (i) => `s${i}: __schema { types { name } }`)} }`,
    code: 'LIMIT_EXCEEDED',
  },
}

for (const [name, { text, code }] of Object.entries(bad)) {
  test(`refuses ${name} in less than 50 ms`, (t) => {
    let refused: unknown
    const ms = clock(() => {
      try {
        parseDocument(text)
      } catch (error) {
        refused = error
      }
    })
    t.diagnostic(`${name}: ${ms.toFixed(2)} ms`)
    assert.equal(refused instanceof AppError ? refused.code : refused instanceof Error ? 'syntax' : 'accepted', code)
    assert.ok(ms < 50, `${ms} ms`)
  })
}

test('what is as large as it may be is validated in less than 50 ms', (t) => {
  const schema = buildSchema('type Query { a(x: Int): Int b: Query c: [Query] }')
  const largest = {
    'the same field 950 times': `{ b { ${times(950, () => 'a')} } }`,
    'the same object 100 times': `{ b { ${times(100, () => 'b { a }')} } }`,
    'inline fragments': `{ b { ${times(400, () => '... { a }')} } }`,
    'nested inline fragments': `{ ${'... { '.repeat(300)} a ${'}'.repeat(300)} }`,
    '60 fragments': `{ b { ${times(60, (i) => `...F${i}`)} } } ${times(60, (i) => `fragment F${i} on Query { a b { a } }`)}`,
    'unknown fields': `{ b { ${times(900, (i) => `n${i}`)} } }`,
  }
  for (const [name, text] of Object.entries(largest)) {
    const document = parseDocument(text)
    const ms = clock(() => validate(schema, document, specifiedRules, { hideSuggestions: true, maxErrors: 10 }))
    t.diagnostic(`${name}: ${ms.toFixed(2)} ms`)
    assert.ok(ms < 50, `${name}: ${ms} ms`)
  }
})

test('takes what people send', () => {
  parseDocument(
    getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true, oneOf: true, schemaDescription: true }),
  )
  parseDocument(`query Q($x: Int = 1) { ${times(limits.aliases, (i) => `a${i}: a(x: $x)`)} }`)
  parseDocument(`${'{ a '.repeat(limits.depth)}${'} '.repeat(limits.depth)}`)
  parseDocument('{ posts(first: 25, where: { or: [{ title: { contains: "🌱" } }] }) { nodes { author { name } } } }')
  parseDocument('{ ...A ...A } fragment A on Query { b { ...B } } fragment B on Query { a }')
})
