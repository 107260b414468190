/** Which way an order goes, and where it has nulls. */
export type Direction = { descending: boolean; nullsFirst: boolean }

/** By name. Null counts as greater than every value, as in PostgreSQL's own indexes, where nothing else is said. */
export const directions = {
  ASC: { descending: false, nullsFirst: false },
  DESC: { descending: true, nullsFirst: true },
  ASC_NULLS_FIRST: { descending: false, nullsFirst: true },
  DESC_NULLS_LAST: { descending: true, nullsFirst: false },
} as const satisfies Readonly<Record<string, Direction>>

export type DirectionName = keyof typeof directions

export const directionNames = Object.keys(directions) as DirectionName[]

export function isDirection(value: unknown): value is DirectionName {
  return directionNames.some((name) => name === value)
}

export function directionName({ descending, nullsFirst }: Direction): DirectionName {
  if (descending) return nullsFirst ? 'DESC' : 'DESC_NULLS_LAST'
  return nullsFirst ? 'ASC_NULLS_FIRST' : 'ASC'
}

/** What follows a value in `order by`, and in an index: an index is of use only where both say the same of nulls. */
export function directionSql(
  { descending, nullsFirst }: Direction,
  { required = false, backward = false } = {},
): string {
  const way = descending !== backward ? 'desc' : 'asc'
  // Where there are none, an index in the usual order serves.
  if (required || nullsFirst === descending) return way
  return `${way} nulls ${nullsFirst !== backward ? 'first' : 'last'}`
}
