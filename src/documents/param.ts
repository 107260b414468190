/** Gives a value a place among a statement's parameters, and answers how the statement refers to it. */
export type Param = (value: unknown, type: string) => string

/** The same array is sent once, however often it is referred to: above all the caller's roles. */
export function collectParams(): { param: Param; values: unknown[] } {
  const values: unknown[] = []
  const arrays = new Map<unknown, string>()
  const param: Param = (value, type) => {
    const known = arrays.get(value)
    if (known) return known
    values.push(value)
    const place = `$${values.length}::${type}`
    if (Array.isArray(value)) arrays.set(value, place)
    return place
  }
  return { param, values }
}
