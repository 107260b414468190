import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInputType,
  type GraphQLSchema,
  getArgumentValues,
  getOperationAST,
  getVariableValues,
  isInputType,
  Kind,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql'
import type { Context } from '../context.ts'
import type { Readers } from '../platform/readers.ts'
import type { Answered } from './answer-size.ts'
import { keepCompiled } from './compiled.ts'
import { createOperation } from './create-operation.ts'
import { answerFrom, cachedDirective, maxAgeOf } from './keeping.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { decisiveRoles, holderOf } from './permissions.ts'
import { createTargetOf, type RootPlanner, rootPlannerOf } from './root.ts'
import type { Caller } from './scope.ts'
import type { Info } from './selection.ts'
import { fragmentsOf, selectedFields } from './selection.ts'
import { createShaper, plainVariables, type Shape } from './shape.ts'
import { bind, type Deferred, NeedsLiteral, noteDeferred } from './slots.ts'
import { compile, isWhole, type Reading } from './sql.ts'
import { planSubscription, type Subscription } from './subscribe-operation.ts'

/**
 * An operation whose root fields all are reads of documents, or whose only one creates some, ready to be compiled. Its
 * answer is made by PostgreSQL: one statement for each root field, whose text goes to the socket as it comes.
 */
export type Operation = {
  kind: 'query' | 'mutation'
  /** The JSON of `data`, or null where ordinary execution has to say what is to be said. */
  run: (ctx: Context, given: Readonly<Record<string, unknown>>) => Promise<string | null>
}

type RootField = { key: string; plan: RootPlanner; nodes: readonly FieldNode[] }

type Part = { prefix: string; statement: Reading; isNullable: boolean }

/**
 * What was compiled for one shape of variables and one set of deciding roles; null where statements cannot serve it.
 * `unused` are values that no statement needs: they are only checked.
 */
type Compiled = { parts: readonly Part[]; unused: readonly Deferred[] } | null

const most = { keyCharacters: 4_000, retries: 20 }

/** Null for an operation that has to be executed field by field. */
export function planOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  name: string | undefined,
): Operation | Subscription | null {
  const model = schema.extensions.model as ProjectModel | undefined
  const node = getOperationAST(document, name)
  if (node?.operation === 'subscription') return planSubscription(schema, document, node)
  if (node?.operation === 'mutation') return planMutation(schema, document, node)
  const type = node?.operation === 'query' ? schema.getQueryType() : null
  if (!model || !node || !type || node.directives?.some(({ name }) => name.value !== cachedDirective.name)) return null
  const types = variableTypes(schema, node)
  const fragments = fragmentsOf(document)
  const fields = type.getFields()
  const plannerOf = (field: string) => (fields[field] ? rootPlannerOf(fields[field]) : null)
  const rootNames = rootFieldNames(node, fragments)
  if (!types || rootNames.length === 0 || !rootNames.every((field) => plannerOf(field) !== null)) return null
  const planFields = (variables: Readonly<Record<string, unknown>>): RootField[] => {
    const root = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '' }, selectionSet: node.selectionSet } as const
    const selected = selectedFields({ schema, fragments, variableValues: { ...variables } }, [root], type.name)
    return [...selected].flatMap(([key, nodes]) => {
      const plan = plannerOf(nodes[0]?.name.value ?? '')
      return plan ? [{ key, plan, nodes }] : []
    })
  }
  const compileParts = (caller: Caller, { variables }: Shape): Part[] | null => {
    const compiled = planFields(variables).map(({ key, plan, nodes }, i) => {
      const info: Info = { schema, fragments, variableValues: variables, fieldNodes: [...nodes] }
      const [first] = nodes
      const field = first && fields[first.name.value]
      const root = plan(info, first && field ? getArgumentValues(field, first, variables) : {})
      const prefix = `${i > 0 ? ',' : ''}${JSON.stringify(key)}:`
      return { prefix, root, isNullable: root.kind === 'document' }
    })
    if (!compiled.every(({ root }) => isWhole(root))) return null
    return compiled.map(({ prefix, root, isNullable }) => ({
      prefix,
      isNullable,
      statement: compile(model, caller, root),
    }))
  }
  const compileShape = (caller: Caller, shape: Shape): Compiled => {
    const { made: parts, deferred } = noteDeferred(() => compileParts(caller, shape))
    if (!parts) return null
    const used = new Set(parts.flatMap(({ statement }) => statement.values))
    return { parts, unused: deferred.filter((one) => !used.has(one)) }
  }
  return { kind: 'query', run: runner(schema, node, model, types, compileShape) }
}

/** A mutation that only creates documents of one collection. */
function planMutation(schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode): Operation | null {
  const [only, ...others] = node.selectionSet.selections
  const types = variableTypes(schema, node)
  if (!schema.extensions.model || !types || node.directives?.length || others.length > 0) return null
  if (only?.kind !== Kind.FIELD || only.directives?.length) return null
  const field = schema.getMutationType()?.getFields()[only.name.value]
  const target = field ? createTargetOf(field) : null
  if (!target) return null
  const source = { schema, fragments: fragmentsOf(document), node }
  return { kind: 'mutation', run: createOperation(source, types, target, only) }
}

type CompileShape = (caller: Caller, shape: Shape) => Compiled

function runner(
  schema: GraphQLSchema,
  node: OperationDefinitionNode,
  model: ProjectModel,
  types: ReadonlyMap<string, GraphQLInputType>,
  compileShape: CompileShape,
): Operation['run'] {
  const shapeOf = createShaper(types)
  const compiled = keepCompiled<{ statements: Compiled }>(
    ({ statements }) => statements?.parts.map(({ statement }) => statement.text) ?? [],
  )
  const literal = new Set<string>()
  /** The collections whose readers decided how a statement reads. */
  const decisive = new Set<CollectionModel>()
  const definitions = node.variableDefinitions ?? []

  const statementsFor = (caller: Caller, readers: Readers, variables: Readonly<Record<string, unknown>>): Compiled => {
    const readsMany = (collection: CollectionModel) => readers.many(collection.table, caller.roles)
    const noteReads = (collection: CollectionModel) => {
      decisive.add(collection)
      return readsMany(collection)
    }
    for (let tries = 0; tries < most.retries; tries += 1) {
      const shape = shapeOf(variables, literal)
      const keyOf = () =>
        `${decisiveRoles(model, caller.roles)}\n${[...decisive].map((one) => (readsMany(one) ? 1 : 0)).join('')}\n${shape.key}`
      const known = compiled.get(keyOf())
      if (known) return known.statements
      try {
        const statements = compileShape({ ...caller, readsMany: noteReads }, shape)
        const key = keyOf()
        if (key.length <= most.keyCharacters) compiled.set(key, { statements })
        return statements
      } catch (error) {
        if (!(error instanceof NeedsLiteral)) throw error
        literal.add(error.path.join('.'))
      }
    }
    return null
  }

  return async (ctx, given) => {
    const coerced = plainVariables(types, given) ?? getVariableValues(schema, definitions, given).coerced
    if (!coerced) return null
    try {
      const caller = holderOf(ctx).read
      const statements = statementsFor(caller, ctx.readers, coerced)
      if (!statements) return null
      const maxAge = maxAgeOf(node, coerced)
      const brought = { variables: coerced, roles: caller.roles ?? [], userId: caller.userId }
      const { parts, unused } = statements
      for (const value of unused) value.read(brought)
      const [only] = parts
      // Of its own: where ordinary execution reads them again, it counts them again.
      const answered: Answered = { bytes: 0 }
      const ask = (statement: Reading) => answerFrom(ctx, statement, bind(statement.values, brought), maxAge, answered)
      if (only && parts.length === 1) return join(parts, [await ask(only.statement)])
      return join(parts, await Promise.all(parts.map(({ statement }) => ask(statement))))
    } catch {
      // Reading twice changes nothing, and ordinary execution knows how to tell what is wrong, and where.
      return null
    }
  }
}

function join(parts: readonly Part[], answers: readonly (string | null)[]): string | null {
  let data = '{'
  for (const [i, { prefix, isNullable }] of parts.entries()) {
    const answer = answers[i] ?? null
    if (answer === null && !isNullable) return null
    data += prefix + (answer ?? 'null')
  }
  return `${data}}`
}

function variableTypes(schema: GraphQLSchema, node: OperationDefinitionNode): Map<string, GraphQLInputType> | null {
  const types = new Map<string, GraphQLInputType>()
  for (const { variable, type } of node.variableDefinitions ?? []) {
    const known = typeFromAST(schema, type)
    if (!isInputType(known)) return null
    types.set(variable.name.value, known)
  }
  return types
}

/** Of every root field that could be selected, fragments followed. */
function rootFieldNames(
  node: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): string[] {
  const names: string[] = []
  const open = [...node.selectionSet.selections]
  for (let selection = open.pop(); selection; selection = open.pop()) {
    if (selection.kind === Kind.FIELD) names.push(selection.name.value)
    else {
      const inside = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value]
      open.push(...(inside?.selectionSet.selections ?? []))
    }
  }
  return names
}
