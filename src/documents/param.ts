/** Gives a value a place among a statement's parameters, and answers how the statement refers to it. */
export type Param = (value: unknown, type: string) => string

/** The same array or deferred value is sent once, however often it is referred to: above all the caller's roles. */
export function collectParams(): { param: Param; values: unknown[] } {
  const values: unknown[] = []
  const places = new Map<unknown, Map<string, string>>()
  const param: Param = (value, type) => {
    const known = places.get(value)?.get(type)
    if (known) return known
    values.push(value)
    const place = `$${values.length}::${type}`
    if (typeof value === 'object' && value !== null) {
      places.set(value, (places.get(value) ?? new Map<string, string>()).set(type, place))
    }
    return place
  }
  return { param, values }
}
