import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  validate,
} from 'graphql'
import { parseDocument } from './document.ts'
import type { Operation } from './operation.ts'
import { lazyRules } from './type-names.ts'

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
  if (faultsOf(schema, document).length > 0) return false
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  return getVariableValues(schema, definitions, variables).errors === undefined
}

const faults = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, readonly GraphQLError[]>>()

/** What is wrong with a document in this schema. Plans and executor look at the same one, which is validated once. */
export function faultsOf(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
  const found = faults.get(schema) ?? new WeakMap<DocumentNode, readonly GraphQLError[]>()
  faults.set(schema, found)
  const answer = found.get(document) ?? validateNow(schema, document)
  found.set(document, answer)
  return answer
}

function validateNow(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
  // The stack of an error that is kept would hold all that validation has made.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    // What a mistyped name is like is nobody's business: it may be the name of something that the caller may not see.
    return validate(schema, document, lazyRules, { hideSuggestions: true, maxErrors: 10 })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
