import { Invalid } from '../../errors.ts'
import { parsePermission, type Right, whyNotRole } from './roles.ts'

/** Most permissions of a collection, or of an attribute. */
export const permissionLimit = 100

export type NewPermission = { role: string; right: Right | 'write' }

/** What is stored of permissions that were asked for. `rights` are those that can be given here. */
export function permissionTexts(
  permissions: readonly NewPermission[],
  rights: readonly NewPermission['right'][],
  path: readonly string[],
): string[] {
  if (permissions.length > permissionLimit) throw new Invalid(`There are at most ${permissionLimit} permissions.`, path)
  const texts = permissions.map(({ role, right }, i) => {
    const text = `${right}:${role}`
    if (!rights.includes(right)) throw new Invalid('This right cannot be given here.', [...path, `${i}`, 'right'])
    if (parsePermission(text).length === 0) throw new Invalid(whyNotRole(role), [...path, `${i}`, 'role'])
    return text
  })
  return [...new Set(texts)]
}
