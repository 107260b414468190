import type { GraphQLSchema, OperationTypeNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { Context } from '../../context.ts'
import type { Operation } from '../operation.ts'
import type { Watching } from '../tracked.ts'

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

/** For an operation that is looked at in this schema: what tells of it once it is none of the caller's schema any more. */
export type Watch = (ctx: Context, operation: Operation, schema: GraphQLSchema) => Watching

export type ScopePlugin = Plugin<Scope, Scope>
