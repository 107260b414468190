import type { Actor, Context } from '../context.ts'
import { SchemaChanged } from '../errors.ts'
import { scopesOf } from '../modules/permissions/roles.ts'

/** The scopes that decide what a subscription is told. */
export type Needs = ReadonlySet<string>

export const needsDocuments: Needs = new Set(['documents.read'])

/**
 * Throws SchemaChanged for a key, or a function that acts for itself, that has lost one of these since it began with `ctx`:
 * what is told was allowed by what it was then.
 */
export function requireNeeds(ctx: Context, now: Actor | null, needs: Needs, cursor: () => string | null): void {
  const [had, has] = [scopesOf(ctx), scopesOf({ actor: now })]
  if (had === null || ![...needs].some((scope) => had.has(scope) && !has?.has(scope))) return
  // Whoever asks anew at once is who they are now.
  if (now) ctx.identities.forget([now.id])
  throw new SchemaChanged('You may do less than when this began. Ask anew, for what you may still read.', cursor())
}
