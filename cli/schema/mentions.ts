/** Where expressions of computed attributes and conditions of rules name attributes. */

/** A text, a function, or another word of an expression. */
const words = /'(?:[^']|'')*'|[A-Za-z_]\w*(?:\s*\()?/g
const constants = new Set(['and', 'or', 'not', 'true', 'false', 'null'])

export function renameInExpression(source: string, rename: (key: string) => string): string {
  return source.replace(words, (word) => {
    const isName = !word.startsWith("'") && !word.endsWith('(') && !constants.has(word)
    return isName ? rename(word) : word
  })
}

export function renameInWhere(where: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(where)) return where.map((one) => renameInWhere(one, rename))
  if (typeof where !== 'object' || where === null) return where
  return Object.fromEntries(
    Object.entries(where).map(([key, value]) =>
      ['and', 'or', 'not'].includes(key) ? [key, renameInWhere(value, rename)] : [rename(key), value],
    ),
  )
}

/** Whether a computed attribute is made of one of these; any other attribute is made of none. */
export function isComputedOf(computed: unknown, keys: ReadonlySet<string>): boolean {
  return (
    typeof computed === 'string' && collected((note) => renameInExpression(computed, note)).some((key) => keys.has(key))
  )
}

/** Whether rules look at one of these attributes. */
export function areAbout(rules: unknown, keys: ReadonlySet<string>): boolean {
  const list = (rules ?? []) as readonly { where?: unknown }[]
  return list.some(({ where }) => collected((note) => renameInWhere(where, note)).some((key) => keys.has(key)))
}

function collected(visit: (note: (key: string) => string) => unknown): string[] {
  const keys: string[] = []
  visit((key) => {
    keys.push(key)
    return key
  })
  return keys
}
