import type { Context } from '../../context.ts'

/** What one may do. `write` in a permission stands for create, update and delete together. */
export const rights = ['create', 'read', 'update', 'delete'] as const

export type Right = (typeof rights)[number]

export type Permission = { right: Right; role: string }

const id = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}'

const grammar = new RegExp(
  `^(any|guests|users(/(verified|unverified))?|user:${id}|label:[A-Za-z0-9][A-Za-z0-9._-]{0,35}|team:${id}(/${id})?|member:${id})$`,
)

/** Whether a text names a role: `any`, `guests`, `users/verified`, `user:ID`, `label:NAME`, `team:ID/ROLE` … */
export function isRole(text: string): boolean {
  return grammar.test(text)
}

/** Says what a text that names no role might have been meant to be. */
export function whyNotRole(text: string): string {
  const names =
    '`any`, `guests`, `users`, `users/verified`, `user:ID`, `label:NAME`, `team:ID`, `team:ID/ROLE` or `member:ID`'
  return `“${text}” is not a role: that is ${names}.`
}

/** Reads `right:role`. Empty when it is not one; several for `write:role`. */
export function parsePermission(text: string): Permission[] {
  const colon = text.indexOf(':')
  const right = text.slice(0, colon)
  const role = text.slice(colon + 1)
  if (colon < 0 || !isRole(role)) return []
  if (right === 'write') return rights.filter((one) => one !== 'read').map((one) => ({ right: one, role }))
  return rights.filter((one) => one === right).map((one) => ({ right: one, role }))
}

/** What bounds a caller that is above roles: the scopes of a key, or of a function that acts for itself. Null for others. */
export function scopesOf({ actor }: Pick<Context, 'actor'>): ReadonlySet<string> | null {
  return actor?.kind === 'key' || actor?.kind === 'function' ? actor.scopes : null
}

/**
 * The roles that the caller holds; null for those who are above roles: the members of the project, its keys and
 * functions (their scopes decide), the system. An account without a place in the project is a guest there.
 */
export function rolesOf({ actor }: Pick<Context, 'actor'>): string[] | null {
  if (!actor) return ['any', 'guests']
  if (actor.kind === 'account') return actor.role === null ? ['any', 'guests'] : null
  if (actor.kind === 'key' || actor.kind === 'function' || actor.kind === 'system') return null
  const verified = actor.verified ? 'users/verified' : 'users/unverified'
  return ['any', 'users', verified, `user:${actor.id}`, ...actor.labels.map((label) => `label:${label}`)]
}
