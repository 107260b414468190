import { Invalid } from '../errors.ts'
import { type Given, isDeferred } from './slots.ts'

/** A regular expression of a filter, and where in the operation it was given. */
export type Pattern = { pattern: unknown; at: readonly string[] }

/**
 * Of what PostgreSQL refused as no regular expression: which one of those that were asked for. It does not say so itself.
 * Where there are several it is taken to be the first that JavaScript refuses too.
 */
export function invalidPattern(asked: unknown, given: Given): Invalid {
  const patterns = patternsIn(asked)
  const wrong = patterns.find(({ pattern }) => !isRegExp(isDeferred(pattern) ? pattern.read(given) : pattern))
  return new Invalid('This is not a regular expression of PostgreSQL.', (wrong ?? patterns[0])?.at ?? [])
}

export function isInvalidPattern(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '2201B'
}

/** Wherever they are in a plan, in their order. */
function patternsIn(value: unknown): Pattern[] {
  if (typeof value !== 'object' || value === null) return []
  if ('pattern' in value && 'at' in value) return [value as Pattern]
  return Object.values(value).flatMap(patternsIn)
}

function isRegExp(pattern: unknown): boolean {
  try {
    return new RegExp(String(pattern)) instanceof RegExp
  } catch {
    return false
  }
}
