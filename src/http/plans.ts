import { type GraphQLSchema, specifiedRules, validate } from 'graphql'
import { LRUCache } from 'lru-cache'
import { type Operation as Plan, planOperation } from '../documents/operation.ts'
import { type CompiledCost, compileCost } from './cost.ts'
import { parseDocument } from './document.ts'
import type { Operation } from './operation.ts'

/** An operation that is parsed, within its limits, valid in its schema, and answered by PostgreSQL as it is. */
export type Planned = { plan: Plan; costOf: CompiledCost }

/** Finds the plan of an operation, or null: then it is executed field by field, or told what is wrong with it. */
export type FindPlan = (schema: GraphQLSchema, operation: Operation) => Planned | null

const most = { plans: 5_000, characters: 2_000_000 }

/** Plans are kept by schema, of which a project has one for each revision and audience, and by the operation's text. */
export function createPlans(): FindPlan {
  const plans = new LRUCache<string, { planned: Planned | null }>({
    max: most.plans,
    maxSize: most.characters,
    sizeCalculation: (_plan, key) => key.length,
  })
  const ids = new WeakMap<GraphQLSchema, number>()
  let count = 0
  return (schema, operation) => {
    const id = ids.get(schema) ?? ++count
    ids.set(schema, id)
    const key = `${id} ${operation.operationName ?? ''}\n${operation.query}`
    const known = plans.get(key)
    if (known) return known.planned
    const planned = plan(schema, operation)
    plans.set(key, { planned })
    return planned
  }
}

function plan(schema: GraphQLSchema, { query, operationName }: Operation): Planned | null {
  try {
    const document = parseDocument(query)
    if (validate(schema, document, specifiedRules, { maxErrors: 1 }).length > 0) return null
    const found = planOperation(schema, document, operationName)
    return found && { plan: found, costOf: compileCost(schema, document, operationName) }
  } catch {
    return null
  }
}
