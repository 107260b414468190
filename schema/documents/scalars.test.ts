import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GraphQLObjectType, GraphQLSchema, GraphQLString, parse, print, validate } from 'graphql'
import { scalars } from './scalars.ts'

test('a literal that a scalar refuses is told with its place', () => {
  const args = Object.fromEntries(Object.entries(scalars).map(([name, type]) => [name, { type }]))
  const query = new GraphQLObjectType({ name: 'Query', fields: { take: { type: GraphQLString, args } } })
  const schema = new GraphQLSchema({ query })
  for (const name of Object.keys(scalars).filter((each) => each !== 'JSON')) {
    const [error] = validate(schema, parse(`{ take(${name}: "no \\n such") }`))
    assert.deepEqual(error?.nodes?.map(print), ['"no \\n such"'], name)
  }
})
