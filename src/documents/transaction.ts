import {
  DirectiveLocation,
  type ExecutionArgs,
  type ExecutionResult,
  type FieldNode,
  GraphQLDirective,
  GraphQLEnumType,
  GraphQLError,
  type GraphQLField,
  GraphQLNonNull,
  getArgumentValues,
  getDirectiveValues,
  getOperationAST,
  getVariableValues,
  Kind,
} from 'graphql'
import { type Context, openMs, openTransaction } from '../context.ts'
import { Invalid } from '../errors.ts'
import { isClash, untilClear } from './clashes.ts'
import { translate } from './faults.ts'
import { decideField } from './hooked.ts'
import { impliedKey, requestHash } from './idempotency.ts'
import { writeTargetOf } from './root.ts'
import { fragmentsOf, selectedFields } from './selection.ts'

const TransactionIsolation = new GraphQLEnumType({
  name: 'TransactionIsolation',
  description: 'What a transaction sees of others that run at the same time.',
  values: {
    READ_COMMITTED: {
      value: 'read committed',
      description: 'Each change sees what others have committed before it.',
    },
    REPEATABLE_READ: {
      value: 'repeatable read',
      description: 'All see what was committed before the first of them, and their own changes.',
    },
    SERIALIZABLE: {
      value: 'serializable',
      description: 'The outcome is as if no other transaction had run meanwhile.',
    },
  },
})

/** How a mutation asks that its changes of documents are one. */
export const transactionDirective = new GraphQLDirective({
  name: 'transaction',
  description: `The changes of documents in this operation, which are all it may have, are made together or not at all. When a field fails, \`data\` is null, nothing was done, and the errors are of that field. What others stand in the way of is tried again; all of it takes ${openMs / 1000} seconds at most.`,
  locations: [DirectiveLocation.MUTATION],
  args: {
    isolation: {
      type: new GraphQLNonNull(TransactionIsolation),
      defaultValue: 'read committed',
      description: 'What it sees of others.',
    },
  },
})

type Execute = (args: ExecutionArgs) => unknown

/** Null for an operation that does not ask for a transaction, or whose variables execution has to refuse. */
export function planTransaction(args: ExecutionArgs): { run: (execute: Execute) => Promise<ExecutionResult> } | null {
  const { schema, document, operationName, variableValues } = args
  const operation = getOperationAST(document, operationName)
  if (!operation?.directives?.some(({ name }) => name.value === transactionDirective.name)) return null
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {})
  if (!coerced) return null
  const isolation = String(getDirectiveValues(transactionDirective, operation, coerced)?.isolation)
  const fragments = fragmentsOf(document)
  const root = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '' }, selectionSet: operation.selectionSet } as const
  const type = schema.getMutationType()
  const source = { schema, fragments, variableValues: coerced }
  const selected = type ? selectedFields(source, [root], type.name) : new Map()
  const changes = [...selected].flatMap(([key, nodes]): Change[] => {
    const [node] = nodes
    const field = type?.getFields()[node?.name.value ?? '']
    if (!field || !node) return []
    if (writeTargetOf(field)) {
      const { idempotencyKey, ...given } = getArgumentValues(field, node, coerced)
      const info = { fieldName: field.name, fieldNodes: nodes, fragments, variableValues: coerced }
      const once = typeof idempotencyKey === 'string' ? idempotencyKey : null
      return [{ key, field, node, given, once: (ctx) => once ?? impliedKey(ctx, key, () => requestHash(info, given)) }]
    }
    throw new Invalid(`Only changes of documents are made in a transaction, and \`${field.name}\` is none.`, [key])
  })
  const run = async (execute: Execute) => {
    const { decided, refused } = await decideAll(args, changes)
    if (refused) return { data: null, errors: [refused] }
    const contextValue = { ...(args.contextValue as Context), decided }
    return executeTogether({ ...args, contextValue }, isolation, execute)
  }
  return { run }
}

/** A field of a transaction, its arguments, and the key by which it is known whether it was done before. */
type Change = {
  key: string
  field: GraphQLField<unknown, unknown>
  node: FieldNode
  given: Record<string, unknown>
  once: (ctx: Context) => string | null
}

/** Functions decide on all changes before the transaction is opened, once: not again when it is tried again. */
async function decideAll(
  { schema, contextValue }: ExecutionArgs,
  changes: readonly Change[],
): Promise<{ decided: NonNullable<Context['decided']>; refused: GraphQLError | null }> {
  const decided = new Map<string, Readonly<Record<string, unknown>> | null>()
  const ctx = contextValue as Context
  for (const { key, field, node, given, once } of changes) {
    try {
      decided.set(key, await decideField(ctx, schema, field, given, once(ctx)))
    } catch (error) {
      return { decided, refused: new GraphQLError('', { originalError: error as Error, path: [key], nodes: [node] }) }
    }
  }
  return { decided, refused: null }
}

/** Nobody has been answered yet, so what others stood in the way of is tried again from the beginning. */
async function executeTogether(args: ExecutionArgs, isolation: string, execute: Execute): Promise<ExecutionResult> {
  const attempt = (contextValue: Context, until: number) =>
    attemptOnce({ ...args, contextValue }, { isolation, until }, execute)
  const isAgain = (error: unknown, tries: number) =>
    error instanceof Undone && error.failures.some((failure) => passes(failure, isolation, tries))
  try {
    return await untilClear(args.contextValue as Context, attempt, isAgain)
  } catch (error) {
    if (error instanceof Undone) return error.result
    throw error
  }
}

/** A snapshot may be too old to see whom it clashes with: the next one does. */
function passes(failure: unknown, isolation: string, tries: number): boolean {
  if (isClash(failure)) return true
  return (failure as { code?: unknown }).code === '23505' && isolation !== 'read committed' && tries === 1
}

class Undone extends Error {
  readonly result: ExecutionResult
  readonly failures: readonly unknown[]

  constructor(result: ExecutionResult, failures: readonly unknown[]) {
    super()
    this.result = result
    this.failures = failures
  }
}

/** Throws Undone where nothing was done. */
async function attemptOnce(
  args: ExecutionArgs,
  terms: { isolation: string; until: number },
  execute: Execute,
): Promise<ExecutionResult> {
  try {
    return await openTransaction(args.contextValue as Context, terms, async (ctx) => {
      const answer = (await execute({ ...args, contextValue: { ...ctx, answered: { bytes: 0 } } })) as ExecutionResult
      if (answer.errors) throw new Undone({ ...answer, data: null }, ctx.open.failures)
      return answer
    })
  } catch (error) {
    if (error instanceof Undone) throw error
    const refused = new GraphQLError('', { originalError: translate(error, null) as Error })
    throw new Undone({ data: null, errors: [refused] }, [error])
  }
}
