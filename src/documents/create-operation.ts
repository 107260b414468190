import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInputType,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  type OperationDefinitionNode,
} from 'graphql'
import { type Context, sqlStatement } from '../context.ts'
import { AppError } from '../errors.ts'
import { isStatementError } from '../platform/statement-error.ts'
import { answerOf } from '../platform/statements.ts'
import { traceparentOf } from '../platform/tracing.ts'
import { keepCompiled } from './compiled.ts'
import { hooksOf, isHooked } from './hooked.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { NeedsMore } from './nested.ts'
import { decisiveRoles, holderOf, mayCreate } from './permissions.ts'
import { planDocument } from './plan.ts'
import type { CreateTarget } from './root.ts'
import type { Info } from './selection.ts'
import { createShaper, type Shape } from './shape.ts'
import { bind, type Given, NeedsLiteral } from './slots.ts'
import { isWholeDocument, type Statement } from './sql.ts'
import { compileCreate } from './write.ts'

type Run = (ctx: Context, given: Readonly<Record<string, unknown>>) => Promise<string | null>

/** The statement that writes, null where ordinary execution has to. */
type Compiled = Statement | null

/**
 * A mutation of one root field that creates documents: one statement checks, writes, logs and answers, and its text goes
 * to the socket as it comes. It serves inputs of every shape, for they come as one parameter.
 */
export function createOperation(
  source: { schema: GraphQLSchema; fragments: Record<string, FragmentDefinitionNode>; node: OperationDefinitionNode },
  types: ReadonlyMap<string, GraphQLInputType>,
  { collectionId, isList }: CreateTarget,
  fieldNode: FieldNode,
): Run {
  const { schema, fragments, node } = source
  const model = schema.extensions.model as ProjectModel
  const field = schema.getMutationType()?.getFields()[fieldNode.name.value]
  const shapeOf = createShaper(types, true)
  const compiled = keepCompiled<{ made: Compiled }>(({ made }) => (made ? [made.text] : []))
  const prefix = `{${JSON.stringify(fieldNode.alias?.value ?? fieldNode.name.value)}:`

  const compile = (ctx: Context, collection: CollectionModel, { variables }: Shape): Compiled => {
    const info: Info = { schema, fragments, variableValues: variables, fieldNodes: [fieldNode] }
    const args = field ? getArgumentValues(field, fieldNode, variables) : {}
    const plan = planDocument(info, model, collection)
    const isPlain = Object.keys(args).every((name) => name === 'input' || name === 'inputs')
    if (!isPlain || !isWholeDocument(plan)) return null
    const { env, projectId, clock, actor } = ctx
    const inputs = isList ? args.inputs : [args.input]
    const at = (i: number) => (isList ? ['inputs', `${i}`] : ['input'])
    return compileCreate({ env, projectId, clock, actor }, { model, collection, plan }, inputs, at)
  }
  const compiledFor = (ctx: Context, collection: CollectionModel, variables: Readonly<Record<string, unknown>>) => {
    const shape = shapeOf(variables, new Set())
    const { read, write } = holderOf(ctx)
    const key = [decisiveRoles(model, read.roles), decisiveRoles(model, write.roles), shape.key].join('\n')
    const known = compiled.get(key)
    if (known) return known.made
    const made = compile(ctx, collection, shape)
    compiled.set(key, { made })
    return made
  }
  return async (ctx, given) => {
    const { coerced } = getVariableValues(schema, node.variableDefinitions ?? [], given)
    const collection = model.collections.get(collectionId)
    const { read, write } = holderOf(ctx)
    if (!coerced || !collection || !mayCreate(collection, write)) return null
    // Functions decide on it first, and may make other inputs of it.
    if (isHooked(model) && hooksOf(model, collection, 'create').length > 0) return null
    const brought: Given = {
      variables: coerced,
      roles: write.roles ?? read.roles ?? [],
      userId: read.userId,
      actor: ctx.actor,
      trace: traceparentOf(ctx.span),
      executionId: ctx.run?.executionId ?? null,
    }
    try {
      const made = compiledFor(ctx, collection, coerced)
      if (!made) return null
      const { text, values } = made
      const bound = bind(values, brought)
      const answer = await sqlStatement(ctx, async (tx) => {
        const list = await answerOf(ctx.sql, text, bound)
        tx.emitted.count += 1
        return list
      })
      return answer === null ? null : `${prefix}${isList ? answer : answer.slice(1, -1)}}`
    } catch (error) {
      // Nothing was written, and ordinary execution knows how to tell why, and where.
      if (isRefusal(error)) return null
      throw error
    }
  }
}

/** Whether it is certain that nothing was committed: the statement never ran, or PostgreSQL says that it failed. */
function isRefusal(error: unknown): boolean {
  if (error instanceof AppError) return error.code !== 'UNAVAILABLE'
  return error instanceof NeedsLiteral || error instanceof NeedsMore || isStatementError(error)
}
