import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSchema, parse, validate } from 'graphql'
import { inputPath } from './input-path.ts'

const schema = buildSchema(`
  input Part { size: Int, tags: [Int!] }
  type Query { things(where: [Part!], first: Int): [Query] }
`)
const pathOf = (query: string) => validate(schema, parse(query)).map(inputPath)

test('a literal that is wrong is named by the arguments and fields that it stands in', () => {
  assert.deepEqual(pathOf('{ things(first: "x") { __typename } }'), [['first']])
  assert.deepEqual(pathOf('{ things(where: [{}, { size: "x" }]) { __typename } }'), [['where', '1', 'size']])
  assert.deepEqual(pathOf('{ things(where: { tags: [1, null] }) { __typename } }'), [['where', 'tags', '1']])
  assert.deepEqual(pathOf('{ things(first: 1) { things(where: { no: 1 }) { __typename } } }'), [['where', 'no']])
  assert.deepEqual(pathOf('fragment F on Query { things(no: 1) { __typename } } { ...F }'), [['no']])
})

test('what is no argument has no path', () => {
  assert.deepEqual(pathOf('{ things { absent } }'), [[]])
  assert.deepEqual(pathOf('query ($first: String) { things(first: $first) { __typename } }'), [[]])
})
