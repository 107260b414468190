import { reservedKeys } from '../../documents/names.ts'
import { parseText } from '../../documents/texts.ts'
import { Invalid } from '../../errors.ts'

const key = /^[a-z][A-Za-z0-9_]{0,39}$/

/** Throws for a key that could not be a column and a GraphQL field at once. `path` is where it stands in the input. */
export function checkKey(text: string, path: readonly string[]): void {
  if (!key.test(text)) {
    throw new Invalid(
      'A key begins with a small letter and goes on with letters, digits and underscores, 40 at most.',
      path,
    )
  }
  // Names such as `constructor` are found on every object of JavaScript, clients included.
  if (reservedKeys.has(text) || text in {}) throw new Invalid(`“${text}” is reserved: choose another key.`, path)
}

/** The name that people read: trimmed, 1 to 128 characters, on one line and in one direction. */
export function checkName(text: string, path: readonly string[]): string {
  const name = text.trim()
  const length = [...name.slice(0, 300)].length
  if (length < 1 || length > 128) throw new Invalid('A name has 1 to 128 characters.', path)
  if (!name.isWellFormed() || /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u.test(name)) {
    throw new Invalid('A name has no control characters.', path)
  }
  return name
}

/** Most characters of a description. */
export const descriptionLimit = 1_000

/** What something is for, in any number of lines, as it was given; null for nothing. `path` is that of what has it. */
export function checkDescription(text: string | null | undefined, path: readonly string[]): string | null {
  if (text == null) return null
  const at = [...path, 'description']
  // No text has more characters than it has units of UTF-16: a longer one is not taken apart.
  const length = text.length > 2 * descriptionLimit ? Number.POSITIVE_INFINITY : [...text].length
  if (text.trim() === '' || length > descriptionLimit)
    throw new Invalid('A description has 1 to 1,000 characters. Null takes it away.', at)
  return parseText(text, at)
}

/** Whether a text can be an id that `newId(prefix)` made. What cannot is not looked up: PostgreSQL takes no NUL. */
export function isId(prefix: string, text: string): boolean {
  return text.length === prefix.length + 33 && text.startsWith(`${prefix}_`) && /^[0-9a-f]{32}$/.test(text.slice(-32))
}
