import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { buildSchema, GraphQLError, printError } from 'graphql'
import { parseDocument } from './document.ts'
import { areAsBefore, faultsOf, groundOf, isValid, typesOf } from './valid.ts'

const schema = buildSchema('type Query { a(x: Int): Int b: Query }')

test('what is wrong is found once, with its place', () => {
  const text = 'query ($y: Int) { b {\n  c }\n a(x: $y) }'
  const document = parseDocument(text)
  assert.equal(parseDocument(text), document)
  const faults = faultsOf(schema, document)
  assert.equal(faultsOf(schema, document), faults)
  assert.deepEqual(
    faults.map(({ message, locations }) => [message, locations]),
    [['Cannot query field "c" on type "Query".', [{ line: 2, column: 3 }]]],
  )
  assert.match(printError(faults[0] ?? new GraphQLError('none')), /2:3/)
})

test('what is kept of a document is the document alone', () => {
  const document = parseDocument('{ b { ...F } } fragment F on Query { a(x: 1) b { unknown(y: [{ z: $q }]) } }')
  const kept = inspect(document, { depth: 50 })
  assert.match(kept, /startToken: null/)
  assert.doesNotMatch(kept, /prev:|next:/)
  for (const error of faultsOf(schema, document)) assert.doesNotMatch(error.stack ?? '', / at /)
  assert.match(new Error('another').stack ?? '', / at /)
})

test('an operation and its variables', () => {
  const query = 'query ($x: Int!) { a(x: $x) }'
  assert.equal(isValid(schema, { query, variables: { x: 1 } }), true)
  assert.equal(isValid(schema, { query, variables: {} }), false)
  assert.equal(isValid(schema, { query: '{ c }' }), false)
})

test('what an operation asks for and gives, by its types; no more of it is kept than has room', () => {
  const before = buildSchema('type Query { a(w: W): [Int] b: Query } input W { c: Int, d: [W] }')
  const query = 'query Q($w: W) { b { ...F } } query R { b { __typename } } fragment F on Query { a(w: $w) }'
  const operation = (w: unknown) => ({ query, operationName: 'Q', variables: { w } })
  const types = typesOf(before, operation({ d: [{ c: 1 }] }))
  assert.deepEqual(types, ['Query', '[Int]', 'W', 'W', 'Int'])
  assert.equal(typesOf(before, operation({ d: [{ c: 1 }] })), types)
  const many = Array.from({ length: 200_000 }, () => ({ c: 1 }))
  assert.equal(typesOf(before, operation({ d: many })).length, 400_003)
  const large = operation({ c: 'x'.repeat(1_000_001) })
  assert.notEqual(typesOf(before, large), typesOf(before, large))
  const after = (a: string, c: string) =>
    typesOf(
      buildSchema(`type Query { a(w: W): ${a} b: Query } input W { c: ${c}, d: [W] }`),
      operation({ d: [{ c: 1 }] }),
    )
  assert.deepEqual(
    [after('[Int]', 'Int'), after('[Int]!', 'Int'), after('[String]', 'Int'), after('[Int]', 'String')].map((now) =>
      areAsBefore(types, now),
    ),
    [true, true, false, false],
  )
})

test('an operation stands on the collections whose types it has, and on what is the same in all projects', () => {
  const text =
    'type Query { a(w: AWhere): A b(w: [BWhere!]): B s: String } type A { id: ID } type B { id: ID } input AWhere { b: BWhere } input BWhere { id: ID }'
  const base = buildSchema('type Query { s: String }')
  const owners = new Map([
    ['A', 'col_a'],
    ['B', 'col_b'],
    ['BWhere', 'col_b'],
  ])
  const collections = new Map(['col_a', 'col_b'].map((id) => [id, { id }]))
  const schemaOf = (those: object, of = base) =>
    Object.assign(buildSchema(text), { extensions: { base: of, model: { owners, collections: those } } })
  const made = schemaOf(collections)
  const changed = (id: string, of = base) => schemaOf(new Map(collections).set(id, { id }), of)
  const ofA = groundOf(made, { query: '{ a { id } s }' })
  const ofB = groundOf(made, {
    query: 'query ($w: [BWhere!]) { b(w: $w) { __typename } }',
    variables: { w: [{ id: 1 }] },
  })
  assert.deepEqual([ofA(changed('col_b')), ofA(changed('col_a'))], [true, false])
  assert.deepEqual([ofB(changed('col_a')), ofB(changed('col_b'))], [true, false])
  const ofBoth = groundOf(made, { query: '{ a(w: { b: { id: 1 } }) { id } }' })
  assert.deepEqual([ofBoth(changed('col_a')), ofBoth(changed('col_b'))], [false, false])
  assert.equal(ofA(changed('col_b', buildSchema('type Query { s: String }'))), false)
  const ofNone = groundOf(base, { query: '{ s }' })
  assert.equal(ofNone(changed('col_a')), true)
})
