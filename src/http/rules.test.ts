import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSchema, parse, validate } from 'graphql'
import { lazyRules, rulesFor } from './rules.ts'

const schema = buildSchema(`
  directive @once on FIELD
  input Given { a: Int b: Given }
  interface Node { id: ID! }
  type Post implements Node { id: ID! title: String author: User }
  type User implements Node { id: ID! name: String }
  type Query { post(id: ID!, given: Given): Post node(id: ID!): Node }
  type Subscription { changed: Post }
`)

/** What is wrong with each of them is found by the rule that is named. */
const wrong: Record<string, string> = {
  ExecutableDefinitions: '{ post(id: 1) { id } } type A { a(b: Int = "x" @once @once): None }',
  UniqueOperationNames: 'query A { post(id: 1) { id } } query A { post(id: 1) { id } }',
  LoneAnonymousOperation: '{ post(id: 1) { id } } query B { post(id: 1) { id } }',
  SingleFieldSubscriptions: 'subscription { changed { id } b: changed { id } }',
  root: 'mutation { nothing }',
  KnownTypeNames: 'query ($a: Nowhere) { post(id: $a) { id } }',
  FragmentsOnCompositeTypes: '{ post(id: 1) { ... on ID { id } } }',
  'FragmentsOnCompositeTypes, named': '{ post(id: 1) { ...A } } fragment A on ID { id }',
  VariablesAreInputTypes: 'query ($a: Post) { post(id: $a) { id } }',
  ScalarLeafs: '{ post(id: 1) }',
  FieldsOnCorrectType: '{ post(id: 1) { nothing } }',
  UniqueFragmentNames: '{ post(id: 1) { ...A } } fragment A on Post { id } fragment A on Post { title }',
  KnownFragmentNames: '{ post(id: 1) { ...A } }',
  NoUnusedFragments: '{ post(id: 1) { id } } fragment A on Post { id }',
  PossibleFragmentSpreads: '{ post(id: 1) { ... on User { id } } }',
  'PossibleFragmentSpreads, named': '{ post(id: 1) { ...A } } fragment A on User { id }',
  NoFragmentCycles: '{ post(id: 1) { ...A } } fragment A on Post { ...B } fragment B on Post { ...A }',
  UniqueVariableNames: 'query ($a: ID!, $a: ID!) { post(id: $a) { id } }',
  NoUndefinedVariables: '{ post(id: $a) { id } }',
  'NoUndefinedVariables, in a fragment': 'query A { ...F } fragment F on Query { post(id: $a) { id } }',
  NoUnusedVariables: 'query ($a: ID!) { post(id: 1) { id } }',
  KnownDirectives: '{ post(id: 1) @nothing { id } }',
  UniqueDirectivesPerLocation: '{ post(id: 1) @once @once { id } }',
  KnownArgumentNames: '{ post(id: 1, nothing: 2) { id } }',
  'KnownArgumentNames of a directive': '{ post(id: 1) @skip(if: true, nothing: 2) { id } }',
  UniqueArgumentNames: '{ post(id: 1, id: 2) { id } }',
  ValuesOfCorrectType: '{ post(id: {}) { id } }',
  'ValuesOfCorrectType of a default': 'query ($a: Int = "x") { post(id: 1, given: { a: $a }) { id } }',
  ProvidedRequiredArguments: '{ post { id } }',
  'ProvidedRequiredArguments of a directive': '{ post(id: 1) @skip { id } }',
  VariablesInAllowedPosition: 'query ($a: ID) { post(id: $a) { id } }',
  OverlappingFieldsCanBeMerged: '{ post(id: 1) { a: id a: title } }',
  UniqueInputFieldNames: '{ post(id: 1, given: { a: 1, a: 2 }) { id } }',
  'in a given one': '{ post(id: 1, given: { b: { a: "x", c: 1 } }) { id } }',
}

const right = [
  '{ post(id: 1) { id title author { name } } }',
  'query A($a: ID!, $g: Given) { post(id: $a, given: $g) { ...P ... on Node { id } } } fragment P on Post { title @once }',
  'subscription { changed { id } }',
  '{ __schema { types { name } } }',
]

for (const [name, text] of Object.entries(wrong)) {
  test(`no fault is missed: ${name}`, () => {
    const document = parse(text)
    const faults = validate(schema, document, lazyRules)
    assert.notEqual(faults.length, 0)
    assert.deepEqual(validate(schema, document, rulesFor(document)), faults)
  })
}

test('none is found where there is none, and rules are left out that look for what is not there', () => {
  for (const text of right) {
    const document = parse(text)
    assert.deepEqual(validate(schema, document, rulesFor(document)), [])
  }
  const [plain = ''] = right
  assert.ok(rulesFor(parse(plain)).length < lazyRules.length / 2)
})
