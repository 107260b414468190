// Documents have permissions as well: schema/documents takes Permission, PermissionInput, PermissionRight and
// OrderDirection from the built schema by these names, so that there is one type of each.
import type { DirectionName } from '../src/documents/directions.ts'
import type { Permission as PermissionRow } from '../src/modules/permissions/roles.ts'
import { builder } from './builder.ts'

export const PermissionRight = builder.enumType('PermissionRight', {
  description: 'What a permission allows.',
  values: {
    CREATE: { description: 'To create documents. Collections grant it, documents cannot.' },
    READ: { description: 'To read.' },
    UPDATE: { description: 'To change.' },
    DELETE: { description: 'To delete.' },
    WRITE: { description: 'CREATE, UPDATE and DELETE in one. Answers name them one by one.' },
  },
})

const role =
  'Whom it is given to: `any`, `guests`, `users`, `users/verified`, `users/unverified`, `user:ID`, `team:ID`, `team:ID/ROLE`, `member:ID` or `label:NAME`.'

export type PermissionAnswer = { right: 'CREATE' | 'READ' | 'UPDATE' | 'DELETE' | 'WRITE'; role: string }

export const Permission = builder.objectRef<PermissionAnswer>('Permission').implement({
  description: 'One right that one role holds.',
  fields: (t) => ({
    right: t.expose('right', { type: PermissionRight, description: 'What it allows.' }),
    role: t.exposeString('role', { description: role }),
  }),
})

export const PermissionInput = builder.inputType('PermissionInput', {
  description: 'One right for one role.',
  fields: (t) => ({
    right: t.field({ type: PermissionRight, required: true, description: 'What it allows.' }),
    role: t.string({ required: true, description: role }),
  }),
})

export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'The direction of an order. Null counts as greater than every value, unless it says where nulls come.',
  values: {
    ASC: { description: 'Smallest first, nulls last.' },
    DESC: { description: 'Greatest first, nulls first.' },
    ASC_NULLS_FIRST: { description: 'Smallest first, but nulls before all.' },
    DESC_NULLS_LAST: { description: 'Greatest first, but nulls after all.' },
  } satisfies Record<DirectionName, { description: string }>,
})

/** A permission as the modules speak of it, in capitals as the API does. */
export function answerPermission({ right, role }: PermissionRow): PermissionAnswer {
  return { right: right.toUpperCase() as PermissionAnswer['right'], role }
}

/** The reverse for what is asked for. */
export function readPermissions(inputs: readonly PermissionAnswer[]) {
  return inputs.map(({ right, role }) => ({ right: right.toLowerCase() as Lowercase<typeof right>, role }))
}
