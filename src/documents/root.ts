import type { GraphQLField } from 'graphql'
import type { Info } from './selection.ts'
import type { Root } from './sql.ts'

/** What a root field reads, from how it is asked for. Its arguments may hold slots. */
export type RootPlanner = (info: Info, args: Readonly<Record<string, unknown>>) => Root

/** Kept with the field, where ordinary execution and the compiled path both find it. */
export function rootExtensions(plan: RootPlanner): { root: RootPlanner } {
  return { root: plan }
}

export function rootPlannerOf({ extensions }: Pick<GraphQLField<unknown, unknown>, 'extensions'>): RootPlanner | null {
  return typeof extensions.root === 'function' ? (extensions.root as RootPlanner) : null
}

/** Creates one document, or a list of them, of a collection. Kept with the root field. */
export type CreateTarget = { collectionId: string; isList: boolean }

export function createExtensions(target: CreateTarget): { creates: CreateTarget } {
  return { creates: target }
}

export function createTargetOf({
  extensions,
}: Pick<GraphQLField<unknown, unknown>, 'extensions'>): CreateTarget | null {
  return (extensions.creates as CreateTarget | undefined) ?? null
}

/** What a field does with documents of a collection. */
export type WriteTarget = { collectionId: string; kind: 'create' | 'update' | 'upsert' | 'delete' }

export function writeExtensions(target: WriteTarget): { writes: WriteTarget } {
  return { writes: target }
}

/** Null for a field that changes no documents, and is no part of a transaction. */
export function writeTargetOf({ extensions }: Pick<GraphQLField<unknown, unknown>, 'extensions'>): WriteTarget | null {
  return (extensions.writes as WriteTarget | undefined) ?? null
}
