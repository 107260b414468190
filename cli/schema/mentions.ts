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

/** Of what a computed attribute is made; any other attribute is made of nothing. */
export function keysInExpression(computed: unknown): string[] {
  return typeof computed === 'string' ? collected((note) => renameInExpression(computed, note)) : []
}

/** What rules look at. */
export function keysInRules(rules: unknown): string[] {
  const list = (rules ?? []) as readonly { where?: unknown }[]
  return list.flatMap(({ where }) => collected((note) => renameInWhere(where, note)))
}

export function isComputedOf(computed: unknown, keys: ReadonlySet<string>): boolean {
  return keysInExpression(computed).some((key) => keys.has(key))
}

/** Whether rules look at one of these attributes. */
export function areAbout(rules: unknown, keys: ReadonlySet<string>): boolean {
  return keysInRules(rules).some((key) => keys.has(key))
}

function collected(visit: (note: (key: string) => string) => unknown): string[] {
  const keys: string[] = []
  visit((key) => {
    keys.push(key)
    return key
  })
  return keys
}
