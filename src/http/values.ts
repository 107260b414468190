import { Invalid, LimitExceeded } from '../errors.ts'
import { limits } from './limits.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The JSON of a body. Throws Invalid when it is not UTF-8 or not JSON. */
export function parseJson(bytes: Buffer | string, path: readonly string[] = []): unknown {
  try {
    return JSON.parse(typeof bytes === 'string' ? bytes : utf8.decode(bytes))
  } catch {
    throw new Invalid('This is not JSON in UTF-8.', path)
  }
}

/** A place in a value: a key, and what holds it. */
type Place = { key: string; within: Place | null }

/**
 * Refuses values that something further down would choke on: too deep, too many, numbers without an end, text that
 * PostgreSQL cannot keep, and names that mean something to JavaScript. It never recurses, so that no depth can end the process.
 */
export function checkValue(value: unknown, name: string): void {
  const open: { value: unknown; depth: number; place: Place | null }[] = [{ value, depth: 0, place: null }]
  let count = 0
  for (let item = open.pop(); item; item = open.pop()) {
    const { depth, place } = item
    count += 1
    if (count + open.length > limits.values) {
      throw new LimitExceeded(`${name} may hold ${limits.values} values in all.`)
    }
    if (typeof item.value === 'string') checkText(item.value, name, () => wayTo(place))
    else if (typeof item.value === 'number') checkNumber(item.value, name, () => wayTo(place))
    else if (typeof item.value === 'object' && item.value !== null) {
      if (depth >= limits.valueDepth) throw tooDeep(name)
      for (const [key, child] of Object.entries(item.value)) {
        checkKey(key, name, () => wayTo(place))
        open.push({ value: child, depth: depth + 1, place: { key, within: place } })
      }
    }
  }
}

/** PostgreSQL keeps no NUL, and a lone surrogate is no character. `at` says where it stands. */
export function checkText(text: string, name: string, at: () => readonly string[] = () => []): void {
  if (text.includes('\0')) throw new Invalid(`${name} may not hold the character U+0000.`, at())
  if (!text.isWellFormed()) throw new Invalid(`${name} may not hold half a surrogate pair.`, at())
}

export function tooDeep(name: string): LimitExceeded {
  return new LimitExceeded(`${name} may nest lists and objects ${limits.valueDepth} deep.`)
}

/** What JSON cannot tell would be null. */
export function checkNumber(value: number, name: string, at: () => readonly string[]): void {
  if (!Number.isFinite(value)) throw new Invalid(`${name} holds a number that is too large.`, at())
}

export function checkKey(key: string, name: string, at: () => readonly string[]): void {
  if (key === '__proto__') throw new Invalid(`${name} may not hold the key __proto__.`, at())
  checkText(key, name, at)
}

function wayTo(place: Place | null): string[] {
  const way: string[] = []
  for (let next = place; next; next = next.within) way.unshift(next.key)
  return way
}
