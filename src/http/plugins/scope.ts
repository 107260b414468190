import type { GraphQLSchema, OperationTypeNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { Context } from '../../context.ts'
import type { Operation } from '../operation.ts'

/** What a transport carries: no mutation by GET, no subscription where the answer is one JSON. */
export type Allowed = readonly `${OperationTypeNode}`[]

/** A request's context, with what the plugins look at. */
export type Scope = Context & {
  schema: GraphQLSchema
  operation: Operation
  allowed: Allowed
  /** Told what kind of operation it is. */
  found?: (kind: `${OperationTypeNode}`) => void
}

/** Tells once an operation is none of the caller's schema any more. Answers how to stop. */
export type Watch = (ctx: Context, operation: Operation) => (onBroken: () => void) => () => void

export type ScopePlugin = Plugin<Scope, Scope>
