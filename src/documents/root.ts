import type { GraphQLField } from 'graphql'
import type { CreateTarget } from './create-operation.ts'
import type { Info } from './plan.ts'
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

export function createExtensions(target: CreateTarget): { creates: CreateTarget } {
  return { creates: target }
}

export function createTargetOf({
  extensions,
}: Pick<GraphQLField<unknown, unknown>, 'extensions'>): CreateTarget | null {
  return (extensions.creates as CreateTarget | undefined) ?? null
}

/** Of the fields that change documents, which may be parts of a transaction. */
export const writeExtensions = { writes: true } as const

export function isWrite({ extensions }: Pick<GraphQLField<unknown, unknown>, 'extensions'>): boolean {
  return extensions.writes === true
}
