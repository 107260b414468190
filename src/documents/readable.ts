import { Forbidden } from '../errors.ts'
import type { Column, FieldRights } from './model.ts'
import { mayUse } from './permissions.ts'
import type { Roles } from './scope.ts'
import type { Condition } from './where.ts'

type RightsOf = (column: Column) => FieldRights | null

/** Whoever may not read a field learns nothing through it: neither by filtering, nor by ordering, nor by grouping. */
export function requireReadable({ key, rights }: { key: string; rights: FieldRights | null }, roles: Roles): void {
  if (!mayUse(rights, 'read', roles)) throw new Forbidden(`You may not read \`${key}\`, so you cannot ask by it.`)
}

/** The same for every field that a filter looks at; `rightsOf` where they may be others than when the filter was read. */
export function requireReadableWhere(
  condition: Condition,
  roles: Roles,
  rightsOf: RightsOf = ({ rights }) => rights,
): void {
  if (condition.kind === 'compare') {
    const { column } = condition
    requireReadable({ key: column.key, rights: rightsOf(column) }, roles)
  } else if (condition.kind === 'related') {
    requireReadable(condition.neighbour, roles)
    requireReadableWhere(condition.of, roles, rightsOf)
  } else {
    for (const one of condition.kind === 'not' ? [condition.of] : condition.of)
      requireReadableWhere(one, roles, rightsOf)
  }
}
