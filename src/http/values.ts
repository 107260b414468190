import { Invalid, LimitExceeded } from '../errors.ts'
import { limits } from './limits.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The JSON of a body. Throws Invalid when it is not UTF-8 or not JSON. */
export function parseJson(bytes: Buffer | string): unknown {
  try {
    return JSON.parse(typeof bytes === 'string' ? bytes : utf8.decode(bytes))
  } catch {
    throw new Invalid('This is not JSON in UTF-8.')
  }
}

/**
 * Refuses values that something further down would choke on: too deep, too many, numbers without an end, text that
 * PostgreSQL cannot keep, and names that mean something to JavaScript. It never recurses, so that no depth can end the process.
 */
export function checkValue(value: unknown, name: string): void {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }]
  let count = 0
  for (let item = open.pop(); item; item = open.pop()) {
    count += 1
    if (count + open.length > limits.values) {
      throw new LimitExceeded(`${name} may hold ${limits.values} values in all.`)
    }
    if (typeof item.value === 'string') checkText(item.value, name)
    else if (typeof item.value === 'number') checkNumber(item.value, name)
    else if (typeof item.value === 'object' && item.value !== null) {
      if (item.depth >= limits.valueDepth) throw tooDeep(name)
      for (const [key, child] of Object.entries(item.value)) {
        checkKey(key, name)
        open.push({ value: child, depth: item.depth + 1 })
      }
    }
  }
}

/** PostgreSQL keeps no NUL, and a lone surrogate is no character. */
export function checkText(text: string, name: string): void {
  if (text.includes('\0')) throw new Invalid(`${name} may not hold the character U+0000.`)
  if (!text.isWellFormed()) throw new Invalid(`${name} may not hold half a surrogate pair.`)
}

export function tooDeep(name: string): LimitExceeded {
  return new LimitExceeded(`${name} may nest lists and objects ${limits.valueDepth} deep.`)
}

function checkNumber(value: number, name: string): void {
  if (!Number.isFinite(value)) throw new Invalid(`${name} holds a number that is too large.`)
}

function checkKey(key: string, name: string): void {
  if (key === '__proto__') throw new Invalid(`${name} may not hold the key __proto__.`)
  checkText(key, name)
}
