import { Forbidden } from '../errors.ts'
import type { FieldRights } from './model.ts'
import { mayUse } from './permissions.ts'
import type { Roles } from './scope.ts'
import type { Condition } from './where.ts'

/** Whoever may not read a field learns nothing through it: neither by filtering, nor by ordering, nor by grouping. */
export function requireReadable({ key, rights }: { key: string; rights: FieldRights | null }, roles: Roles): void {
  if (!mayUse(rights, 'read', roles)) throw new Forbidden(`You may not read \`${key}\`, so you cannot ask by it.`)
}

/** The same for every field that a filter looks at. */
export function requireReadableWhere(condition: Condition, roles: Roles): void {
  if (condition.kind === 'compare') requireReadable(condition.column, roles)
  else if (condition.kind === 'related') {
    requireReadable(condition.neighbour, roles)
    requireReadableWhere(condition.of, roles)
  } else {
    for (const one of condition.kind === 'not' ? [condition.of] : condition.of) requireReadableWhere(one, roles)
  }
}
