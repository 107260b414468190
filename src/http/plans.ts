import { setImmediate as pass } from 'node:timers/promises'
import { type DocumentNode, type GraphQLSchema, Kind } from 'graphql'
import { LRUCache } from 'lru-cache'
import { type Operation as Plan, planOperation } from '../documents/operation.ts'
import type { Subscription } from '../documents/subscribe-operation.ts'
import { type CompiledCost, compileCost } from './cost.ts'
import { parseDocument } from './document.ts'
import type { Operation } from './operation.ts'
import { faultsOf } from './valid.ts'

/**
 * An operation that is parsed, within its limits, valid in its schema, and needs no executor: PostgreSQL answers it as it
 * is, or its payloads are made once for all who subscribe to the same.
 */
export type Planned = { plan: Plan | Subscription; costOf: CompiledCost }

/** Finds the plan of an operation, or null: then it is executed field by field, or told what is wrong with it. */
export type FindPlan = (schema: GraphQLSchema, operation: Operation) => Promise<Planned | null>

/** A plan takes about a hundred times as much memory as its text. */
const most = { plans: 5_000, characters: 1_000_000 }

type Plans = Map<string, Promise<Planned | null>>

/**
 * Plans are kept with their schema, of which a project has one for each revision and audience, and go with it. Among all
 * of them the ones that were not used for longest go first.
 */
export function createPlans(): FindPlan {
  const kept = new WeakMap<GraphQLSchema, { id: number; plans: Plans }>()
  const uses = new LRUCache<string, { of: WeakRef<Plans>; text: string }>({
    max: most.plans,
    maxSize: most.characters,
    sizeCalculation: (_use, key) => key.length,
    dispose: ({ of, text }) => of.deref()?.delete(text),
  })
  let count = 0
  return (schema, operation) => {
    const { id, plans } = kept.get(schema) ?? { id: ++count, plans: new Map() }
    kept.set(schema, { id, plans })
    const text = `${operation.operationName ?? ''}\n${operation.query}`
    const key = `${id} ${text}`
    const known = uses.get(key) && plans.get(text)
    if (known !== undefined) return known
    // Whoever asks for it meanwhile gets the same one: equal subscriptions share what is made for them.
    const planned = plan(schema, operation)
    plans.set(text, planned)
    uses.set(key, { of: new WeakRef(plans), text })
    return planned
  }
}

async function plan(schema: GraphQLSchema, { query, operationName }: Operation): Promise<Planned | null> {
  try {
    const document = parseDocument(query)
    // Others are heard between the steps of what is looked at for the first time.
    makeRootFields(schema, document)
    await pass()
    const { length } = faultsOf(schema, document)
    await pass()
    if (length > 0) return null
    const found = planOperation(schema, document, operationName)
    return found && { plan: found, costOf: compileCost(schema, document, operationName) }
  } catch {
    return null
  }
}

/** The types of the collections that a document asks for are made when somebody looks for its root fields. */
function makeRootFields(schema: GraphQLSchema, { definitions }: DocumentNode): void {
  for (const one of definitions) {
    if (one.kind !== Kind.OPERATION_DEFINITION) continue
    const fields = schema.getRootType(one.operation)?.getFields()
    for (const selection of one.selectionSet.selections)
      if (selection.kind === Kind.FIELD) void fields?.[selection.name.value]
  }
}
