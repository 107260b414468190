import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSchema, type ExecutionResult, execute, parse, validate } from 'graphql'
import { inputPath } from './input-path.ts'

const schema = buildSchema(`
  input Part { size: Int, tags: [Int!] }
  input Whole { part: Part!, name: String! }
  type Query { things(where: [Part!], first: Int): [Query] whole(of: Whole!, more: [Whole!]): Query }
`)
const pathOf = (query: string) => validate(schema, parse(query)).map((error) => inputPath(error))

test('a literal that is wrong is named by the arguments and fields that it stands in', () => {
  assert.deepEqual(pathOf('{ things(first: "x") { __typename } }'), [['first']])
  assert.deepEqual(pathOf('{ things(where: [{}, { size: "x" }]) { __typename } }'), [['where', '1', 'size']])
  assert.deepEqual(pathOf('{ things(where: { tags: [1, null] }) { __typename } }'), [['where', 'tags', '1']])
  assert.deepEqual(pathOf('{ things(first: 1) { things(where: { no: 1 }) { __typename } } }'), [['where', 'no']])
  assert.deepEqual(pathOf('fragment F on Query { things(no: 1) { __typename } } { ...F }'), [['no']])
})

test('what is missing, or is none of the fields, is named too', () => {
  assert.deepEqual(pathOf('{ whole { __typename } }'), [['of']])
  assert.deepEqual(pathOf('{ whole(of: { part: {} }) { __typename } }'), [['of', 'name']])
  assert.deepEqual(pathOf('{ whole(of: { part: {}, name: "x" }, more: [{ name: "y" }]) { __typename } }'), [
    ['more', '0', 'part'],
  ])
  assert.deepEqual(pathOf('{ things @include { __typename } }'), [['if']])
  const query = 'query ($of: Whole!) { whole(of: $of) { __typename } }'
  const pathsIn = (of: unknown) => {
    const variables = { of }
    const { errors } = execute({ schema, document: parse(query), variableValues: variables }) as ExecutionResult
    return errors?.map((error) => inputPath(error, { schema, operation: { variables } }))
  }
  assert.deepEqual(pathsIn({ part: { siz: 1 }, name: 'x' }), [['of', 'part', 'siz']])
  assert.deepEqual(pathsIn({ part: {} }), [['of', 'name']])
  assert.deepEqual(pathsIn({ part: {}, name: 'x', '': 1 }), [['of', '']])
})

test('what is no argument has no path', () => {
  assert.deepEqual(pathOf('{ things { absent } }'), [[]])
})

test('a variable that is wrong is named, and the place in it', () => {
  const query = 'query ($where: [Part!]!) { things(where: $where) { __typename } }'
  const pathOfVariables = (variables: Record<string, unknown>) => {
    const { errors } = execute({ schema, document: parse(query), variableValues: variables }) as ExecutionResult
    return errors?.map((error) => inputPath(error, { schema, operation: { variables } }))
  }
  assert.deepEqual(pathOf('query ($first: String) { things(first: $first) { __typename } }'), [['first']])
  assert.deepEqual(pathOfVariables({}), [['where']])
  assert.deepEqual(pathOfVariables({ where: null }), [['where']])
  assert.deepEqual(pathOfVariables({ where: [{}, { size: ' at "where"; Int cannot' }] }), [['where', '1', 'size']])
  assert.deepEqual(pathOfVariables({ where: [{ tags: 'x', size: 1.5 }, null] }), [
    ['where', '0', 'size'],
    ['where', '0', 'tags'],
    ['where', '1'],
  ])
})
