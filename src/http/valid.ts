import { type GraphQLSchema, getOperationAST, getVariableValues, specifiedRules, validate } from 'graphql'
import { parseDocument } from './document.ts'
import type { Operation } from './operation.ts'
import { lazily } from './type-names.ts'

const known = new WeakMap<GraphQLSchema, Map<string, boolean>>()

/** Whether an operation with its variables is one of this schema. Equal ones are looked at once. */
export function isValid(schema: GraphQLSchema, operation: Operation): boolean {
  const answers = known.get(schema) ?? new Map<string, boolean>()
  known.set(schema, answers)
  const key = JSON.stringify(operation)
  const answer = answers.get(key) ?? check(schema, operation)
  answers.set(key, answer)
  return answer
}

function check(schema: GraphQLSchema, { query, operationName, variables = {} }: Operation): boolean {
  const document = parseDocument(query)
  if (validate(schema, document, specifiedRules.map(lazily), { maxErrors: 1 }).length > 0) return false
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  return getVariableValues(schema, definitions, variables).errors === undefined
}
