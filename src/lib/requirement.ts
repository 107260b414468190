import type { z } from 'zod'

type Issue = z.core.$ZodRawIssue

/** What a value that zod refuses without words of ours must be: `must be at least 1,000`. Undefined where it knows better. */
export function requirementOf(issue: Issue): string | undefined {
  if (issue.code === 'too_small') return bound(issue.origin, Number(issue.minimum), 'at least')
  if (issue.code === 'too_big') return bound(issue.origin, Number(issue.maximum), 'at most')
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`
  if (issue.code === 'invalid_type') return ofType[issue.expected]
  return undefined
}

function bound(origin: string, limit: number, side: 'at least' | 'at most'): string {
  const what = origin === 'string' ? 'character' : origin === 'array' ? 'element' : null
  const number = limit.toLocaleString('en-US')
  return what ? `must have ${side} ${number} ${what}${limit === 1 ? '' : 's'}` : `must be ${side} ${number}`
}

const ofType: Readonly<Record<string, string>> = {
  number: 'must be a number',
  int: 'must be a whole number',
  string: 'must be text',
  boolean: 'must be true or false',
}
