import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FieldNode,
  type GraphQLField,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { Feed } from '../changes/feed.ts'
import type { Context } from '../context.ts'
import type { ChangePlan } from './change-plan.ts'
import { requireLive } from './changes.ts'
import type { Wanted } from './fanout/group.ts'
import type { Fanout } from './fanout.ts'
import type { ProjectModel } from './model.ts'
import type { Info } from './selection.ts'
import { fragmentsOf } from './selection.ts'
import { isWholeDocument } from './sql.ts'
import { parseWhere } from './where.ts'

type Variables = Readonly<Record<string, unknown>>

/** A root field whose payloads are made once for all who get the same. */
export type FeedTarget = { collectionId: string; plan: (info: Info) => ChangePlan; fanout: Fanout }

/** Kept with the field. */
export function feedExtensions(target: FeedTarget): { feeds: FeedTarget } {
  return { feeds: target }
}

function feedTargetOf({ extensions }: Pick<GraphQLField<unknown, unknown>, 'extensions'>): FeedTarget | null {
  return (extensions.feeds as FeedTarget | undefined) ?? null
}

/** Writes the result of an execution as its caller may read it. */
export type Write = (ctx: Context, result: ExecutionResult) => string

export type Subscription = {
  kind: 'subscription'
  /** Null where ordinary execution has to say what is to be said. */
  subscribe: (ctx: Context, given: Variables, write: Write) => Feed | null
}

type Source = { schema: GraphQLSchema; document: DocumentNode; node: OperationDefinitionNode; model: ProjectModel }

const mostRemembered = 2_000
let count = 0

/** A subscription to the changes of one collection, and nothing besides. Null for any other. */
export function planSubscription(
  schema: GraphQLSchema,
  document: DocumentNode,
  node: OperationDefinitionNode,
): Subscription | null {
  const model = schema.extensions.model as ProjectModel | undefined
  const [only, ...others] = node.selectionSet.selections
  if (!model || only?.kind !== Kind.FIELD || others.length > 0) return null
  if (node.directives?.length || only.directives?.length) return null
  const field = schema.getSubscriptionType()?.getFields()[only.name.value]
  const target = field && feedTargetOf(field)
  if (!field || !target) return null
  const wantedFor = rememberWanted({ schema, document, node, model }, only, field, target)
  const subscribe: Subscription['subscribe'] = (ctx, given, write) => {
    try {
      const { coerced } = getVariableValues(schema, node.variableDefinitions ?? [], given)
      const wanted = coerced ? wantedFor(coerced, given, write) : null
      if (!coerced || !wanted) return null
      if (wanted.where) requireLive(ctx, wanted.where)
      const { after } = getArgumentValues(field, only, coerced)
      return target.fanout(ctx, wanted, (after as string | null | undefined) ?? null)
    } catch {
      // Nothing has begun, and ordinary execution knows how to tell what is wrong, and where.
      return null
    }
  }
  return { kind: 'subscription', subscribe }
}

/** What is wanted, the same object for the same variables; null where PostgreSQL cannot make the whole of it. */
function rememberWanted(
  { schema, document, node, model }: Source,
  only: FieldNode,
  field: GraphQLField<unknown, unknown>,
  { collectionId, plan: planOf }: FeedTarget,
) {
  count += 1
  const id = count
  const cursor = cursorVariable(document, only)
  const fragments = fragmentsOf(document)
  const remembered = new LRUCache<string, { wanted: Wanted | null }>({ max: mostRemembered })

  const read = (key: string, coerced: Variables, given: Variables, write: Write): Wanted | null => {
    const collection = model.collections.get(collectionId)
    if (!collection) return null
    const { where } = getArgumentValues(field, only, coerced)
    const plan = planOf({ schema, fragments, variableValues: { ...coerced }, fieldNodes: [only] })
    if (!plan.every((one) => one.kind !== 'node' || isWholeDocument(one.plan))) return null
    const args = { schema, document, operationName: node.name?.value ?? null, variableValues: given }
    return {
      key,
      collectionId,
      where: where == null ? null : parseWhere(model, collection, where, ['where']),
      whereKey: `${model.revision} ${JSON.stringify(where ?? null)}`,
      plan,
      rootKey: only.alias?.value ?? only.name.value,
      execute: async (ctx, told) => write(ctx, await execute({ ...args, rootValue: told, contextValue: ctx })),
    }
  }
  return (coerced: Variables, given: Variables, write: Write): Wanted | null => {
    const shared = Object.entries(coerced).filter(([name]) => name !== cursor)
    const key = `${id} ${JSON.stringify(shared)}`
    const known = remembered.get(key) ?? { wanted: read(key, coerced, given, write) }
    remembered.set(key, known)
    return known.wanted
  }
}

/** The variable that says where to begin, if it says nothing else: whoever begins elsewhere gets the same. */
function cursorVariable(document: DocumentNode, { arguments: args = [] }: FieldNode): string | null {
  const value = args.find(({ name }) => name.value === 'after')?.value
  if (value?.kind !== Kind.VARIABLE) return null
  const uses: string[] = []
  visit(document, { Variable: ({ name }) => void uses.push(name.value) })
  // Once where it is declared, and once as the argument.
  return uses.filter((name) => name === value.name.value).length === 2 ? value.name.value : null
}
