import type { Context } from '../../context.ts'
import { Forbidden, Invalid, Unauthenticated } from '../../errors.ts'
import { isRole, rolesOf, whyNotRole } from '../permissions/roles.ts'

/** Which roles may be at the topics of a pattern, and which may only see who is. Whoever may be there may see it, too. */
export type PresenceRule = { topics: string; join: readonly string[]; read: readonly string[] }

export type PresenceRight = 'join' | 'read'

export const ruleLimits = { rules: 50, roles: 20 }

/** For topics that no rule is about. */
const otherwise: PresenceRule = { topics: '*', join: ['users'], read: [] }

/** A project's own. One that is not has none. */
export const rulesOf = (project: { presenceRules: unknown } | null) => (project?.presenceRules ?? []) as PresenceRule[]

/** Throws Invalid for what is no list of rules, at `path`. */
export function requireRules(rules: readonly PresenceRule[], path: readonly string[]): void {
  if (rules.length > ruleLimits.rules) throw new Invalid(`There are at most ${ruleLimits.rules} rules.`, [...path])
  for (const [i, { topics, ...roles }] of rules.entries()) {
    const at = (...rest: string[]) => [...path, `${i}`, ...rest]
    if (!/^[A-Za-z0-9*][\w.:*-]{0,127}$/.test(topics))
      throw new Invalid('Topics are the name of one, in which `*` stands for any text.', at('topics'))
    for (const right of ['join', 'read'] as const) {
      const wrong = roles[right].findIndex((role) => !isRole(role))
      if (wrong >= 0) throw new Invalid(whyNotRole(roles[right][wrong] ?? ''), at(right, `${wrong}`))
      if (roles[right].length > ruleLimits.roles)
        throw new Invalid(`A rule names at most ${ruleLimits.roles} roles.`, at(right))
    }
  }
}

/**
 * Throws where the caller may not do that at a topic. The first rule about it decides. One that is named after a role,
 * `label:staff` or `user:usr_1:desk`, is for who has the role besides; those who run the project may all.
 */
export function requireRight(
  { actor }: Pick<Context, 'actor'>,
  topic: string,
  right: PresenceRight,
  rules: readonly PresenceRule[],
): void {
  const roles = rolesOf({ actor })
  if (roles === null) return
  const { join, read } = rules.find(({ topics }) => matches(topics, topic)) ?? otherwise
  const allowed = right === 'join' ? join : [...join, ...read]
  const [named] = /^(user|label):[^:]+/.exec(topic) ?? []
  if (allowed.some((role) => roles.includes(role)) && (named === undefined || roles.includes(named))) return
  throw actor === null ? new Unauthenticated('Sign in first.') : new Forbidden('This topic is for others.')
}

/** In time that grows with both only: as a regular expression many `*` would take for ever. */
function matches(pattern: string, topic: string): boolean {
  const [start = '', ...others] = pattern.split('*')
  const end = others.pop()
  if (end === undefined) return topic === pattern
  if (!topic.startsWith(start) || !topic.endsWith(end)) return false
  let at = start.length
  for (const text of others) {
    const found = topic.indexOf(text, at)
    if (found < 0) return false
    at = found + text.length
  }
  return at <= topic.length - end.length
}
