/** The arguments of a Prisma query, or of a relation within one. */
export type QueryArgs = { readonly [name: string]: unknown }

/**
 * Turns Prisma's cursors into conditions on the id that the list is ordered by. Prisma looks the cursor's row up without the
 * list's filter: whether it is there would show whether another project has such a row.
 */
export function withoutCursors(args: QueryArgs): QueryArgs {
  const { cursor, skip, ...rest } = args
  const inner = within(cursor === undefined ? args : rest)
  if (cursor === undefined) return inner
  const [field, place] = onlyEntry(cursor)
  const [ordered, direction] = onlyEntry(args.orderBy)
  if (field !== ordered || (direction !== 'asc' && direction !== 'desc')) {
    throw new Error(`A list with a cursor must be ordered by it alone, not by ${ordered}.`)
  }
  const backward = typeof args.take === 'number' && args.take < 0
  const operator = (direction === 'asc') === backward ? 'lt' : 'gt'
  const beyond = { [field]: { [operator]: place } }
  const where = args.where === undefined ? beyond : { AND: [args.where, beyond] }
  // One was skipped for the row at the cursor itself, which is no longer among them.
  return { ...inner, where, skip: Math.max(0, (typeof skip === 'number' ? skip : 0) - 1) }
}

/** The same for the relations that are read along. */
function within(args: QueryArgs): QueryArgs {
  const changed: Record<string, QueryArgs> = {}
  for (const key of ['select', 'include']) {
    const parts = args[key]
    if (!isObject(parts)) continue
    changed[key] = Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [name, isObject(part) ? withoutCursors(part) : part]),
    )
  }
  return { ...args, ...changed }
}

function onlyEntry(value: unknown): [string, unknown] {
  const entries = isObject(value) ? Object.entries(value) : []
  const [entry] = entries
  return entry && entries.length === 1 ? entry : ['', undefined]
}

function isObject(value: unknown): value is QueryArgs {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
