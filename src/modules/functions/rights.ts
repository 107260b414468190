import type { Context } from '../../context.ts'
import type { Env } from '../../env.ts'
import { Forbidden, Invalid } from '../../errors.ts'
import { isRole, scopesOf, whyNotRole } from '../permissions/roles.ts'

export const executeLimit = 100

/**
 * Whoever decides what a function does must be allowed whatever the function is: otherwise a key could make itself a
 * stronger one out of a function. Holds for its scopes as for its code and its variables.
 */
export function requireScopes(ctx: Pick<Context, 'actor'>, scopes: readonly string[]): void {
  const own = scopesOf(ctx)
  const missing = own && scopes.find((scope) => !own.has(scope))
  if (missing) throw new Forbidden(`This function may ${missing}, which you may not.`)
}

export function readRoles(roles: readonly string[]): string[] {
  if (roles.length > executeLimit)
    throw new Invalid(`There are at most ${executeLimit} roles that may run a function.`, ['input', 'execute'])
  const wrong = roles.findIndex((role) => !isRole(role))
  if (wrong >= 0) throw new Invalid(whyNotRole(roles[wrong] ?? ''), ['input', 'execute', `${wrong}`])
  return [...new Set(roles)]
}

/** Trusted functions have a weaker wall around them: whoever runs the server says whose those may be. */
export function mayBeTrusted({ TRUSTED_PROJECTS }: Pick<Env, 'TRUSTED_PROJECTS'>, projectId: string): boolean {
  return TRUSTED_PROJECTS.includes('*') || TRUSTED_PROJECTS.includes(projectId)
}

export function requireTrust({ env, projectId }: Pick<Context, 'env' | 'projectId'>): void {
  if (mayBeTrusted(env, projectId)) return
  throw new Forbidden(
    'Functions of this project may not be trusted: whoever runs the server allows it with TRUSTED_PROJECTS.',
  )
}
