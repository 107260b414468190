import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputType,
  GraphQLSchema,
  type GraphQLType,
  getNullableType,
  getOperationAST,
  getVariableValues,
  isInputObjectType,
  isListType,
  TypeInfo,
  validate,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { ProjectModel } from '../documents/model.ts'
import { parseDocument } from './document.ts'
import type { Operation } from './operation.ts'
import { rulesFor } from './rules.ts'

type Known = { valid?: boolean; types?: readonly string[] }

/** Of each schema so many operations and characters: callers choose their variables. */
const mostKnown = { max: 1_000, maxSize: 1_000_000 }
const known = new WeakMap<GraphQLSchema, LRUCache<string, Known>>()

/** What is known of an operation with its variables. Equal ones are looked at once, if not too many. */
function knownOf(schema: GraphQLSchema, operation: Operation): Known {
  const all = known.get(schema) ?? new LRUCache({ ...mostKnown, sizeCalculation: (_known, key) => key.length })
  known.set(schema, all)
  const key = JSON.stringify(operation)
  const one = all.get(key) ?? {}
  all.set(key, one)
  return one
}

/** Whether an operation with its variables is one of this schema. */
export function isValid(schema: GraphQLSchema, operation: Operation): boolean {
  const one = knownOf(schema, operation)
  one.valid ??= check(schema, operation)
  return one.valid
}

function check(schema: GraphQLSchema, { query, operationName, variables = {} }: Operation): boolean {
  const document = parseDocument(query)
  if (faultsOf(schema, document).length > 0) return false
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
  return getVariableValues(schema, definitions, variables).errors === undefined
}

/** The types of all that an operation asks for and gives, in their order. */
export function typesOf(schema: GraphQLSchema, operation: Operation): readonly string[] {
  const one = knownOf(schema, operation)
  one.types ??= namesOf(schema, operation)
  return one.types
}

/** Whether what an operation was begun with still tells what it asks for: a null less is no harm. */
export function areAsBefore(before: readonly string[], now: readonly string[]): boolean {
  return before.length === now.length && before.every((type, i) => type === now[i] || `${type}!` === now[i])
}

function namesOf(schema: GraphQLSchema, { query, operationName, variables }: Operation): string[] {
  const document = parseDocument(query)
  const types = new TypeInfo(schema)
  const names: string[] = []
  const one = getOperationAST(document, operationName)
  const visitor = visitWithTypeInfo(types, {
    OperationDefinition: (node) => (node === one ? undefined : false),
    Field: () => void names.push(nameOf(types.getType())),
    Argument: ({ value }) => {
      const type = types.getArgument()?.type
      // One by one: there may be more of them than a call takes arguments.
      if (type) for (const name of givenTypes(type, valueFromASTUntyped(value, variables))) names.push(name)
    },
  })
  visit(document, visitor)
  return names
}

/**
 * Whether what an operation is about is as it was when this was asked for: then it is valid as before and tells the same. A
 * project's other collections may have changed, which most changes are about.
 */
export function groundOf(schema: GraphQLSchema, operation: Operation): (now: GraphQLSchema) => boolean {
  const base = new WeakRef(baseOf(schema))
  const collections = collectionsOf(schema, operation)
  return (now) => {
    const known = modelOf(now)?.collections
    return baseOf(now) === base.deref() && collections.every((one) => one !== undefined && known?.get(one.id) === one)
  }
}

/** Apart from whoever keeps them: a stream that held the model would hold all collections as they were when it began. */
function collectionsOf(schema: GraphQLSchema, operation: Operation) {
  const model = modelOf(schema)
  // Each root field of a collection gives types of it.
  const names = [...new Set(typesOf(schema, operation))].map((type) => type.replace(/[[\]!]/g, ''))
  const ids = new Set(names.flatMap((name) => model?.owners.get(name) ?? []))
  return [...ids].map((id) => model?.collections.get(id))
}

const modelOf = (schema: GraphQLSchema) => schema.extensions.model as ProjectModel | undefined
const baseOf = (schema: GraphQLSchema) => (schema.extensions.base ?? schema) as GraphQLSchema

const named = new WeakMap<GraphQLType, string>()

/** The same text for the same type: each subscription keeps those of its own. */
function nameOf(type: GraphQLType | null | undefined): string {
  if (!type) return ''
  const name = named.get(type) ?? String(type)
  named.set(type, name)
  return name
}

/** Of a value, and of each value within it. */
function givenTypes(given: GraphQLInputType, value: unknown): string[] {
  const type = getNullableType(given)
  if (isListType(type)) return [value].flat().flatMap((item) => givenTypes(type.ofType, item))
  if (!isInputObjectType(type) || typeof value !== 'object' || value === null) return [nameOf(type)]
  const fields = type.getFields()
  const inner = Object.entries(value).flatMap(([name, one]) => {
    const field = fields[name]
    return field ? givenTypes(field.type, one) : []
  })
  // It may be the only type of its collection here: a filter that looks at another one ends in a text or a number.
  return [nameOf(type), ...inner]
}

const faults = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, readonly GraphQLError[]>>()

/** What is wrong with a document in this schema. Plans and executor look at the same one, which is validated once. */
export function faultsOf(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
  return homeOf(schema, document) === schema ? faultsIn(schema, document) : []
}

/**
 * Where a valid document is at home: what is the same in all projects, if it asks for nothing else. A schema only adds to that
 * one, so what is valid there is valid here, and means the same: it is validated once for all projects.
 */
export function homeOf(schema: GraphQLSchema, document: DocumentNode): GraphQLSchema {
  const { base } = schema.extensions
  if (!(base instanceof GraphQLSchema)) return schema
  const isOfBase = document.definitions.every((one) => {
    if (one.kind !== 'OperationDefinition') return true
    const fields = base.getRootType(one.operation)?.getFields()
    return one.selectionSet.selections.every(
      (selection) => selection.kind === 'Field' && fields !== undefined && isAmong(fields, selection.name.value),
    )
  })
  return isOfBase && faultsIn(base, document).length === 0 ? base : schema
}

const isAmong = (fields: object, name: string) => name === '__typename' || Object.hasOwn(fields, name)

function faultsIn(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
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
    return validate(schema, document, rulesFor(document), { hideSuggestions: true, maxErrors: 10 })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
