type Init = Headers | Iterable<readonly [string, string]> | Record<string, string>

const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

function nameOf(given: unknown): string {
  const name = String(given).toLowerCase()
  if (!token.test(name)) throw new TypeError(`“${name.slice(0, 100)}” is no name of a header.`)
  return name
}

/** By hand: an expression looks at each row of spaces within a text once for each of them, and callers write headers. */
function trimmed(text: string): string {
  const isSpace = (at: number) => '\t\r\n '.includes(text.charAt(at))
  let [start, end] = [0, text.length]
  while (start < end && isSpace(start)) start += 1
  while (end > start && isSpace(end - 1)) end -= 1
  return text.slice(start, end)
}

function lineOf(given: unknown): string {
  const value = trimmed(String(given))
  if (/[\0\r\n]/.test(value)) throw new TypeError('The value of a header must be one line.')
  if (/[^\0-\xff]/.test(value)) throw new TypeError('The value of a header has a character that HTTP cannot carry.')
  return value
}

// The web's own class.
export class Headers {
  #values = new Map<string, string[]>()
  constructor(init: Init = {}) {
    const pairs = Symbol.iterator in init ? init : Object.entries(init)
    for (const pair of pairs) {
      const [name, value, ...more]: readonly (string | undefined)[] = [...pair]
      if (name === undefined || (value === undefined && Symbol.iterator in init) || more.length > 0) {
        throw new TypeError('A header is a name and a value.')
      }
      this.append(name, value as string)
    }
  }
  get [Symbol.toStringTag]() {
    return 'Headers'
  }
  append(name: string, value: string): void {
    const key = nameOf(name)
    this.#values.set(key, [...(this.#values.get(key) ?? []), lineOf(value)])
  }
  delete(name: string): void {
    this.#values.delete(nameOf(name))
  }
  get(name: string): string | null {
    return this.#values.get(nameOf(name))?.join(', ') ?? null
  }
  getSetCookie(): string[] {
    return [...(this.#values.get('set-cookie') ?? [])]
  }
  has(name: string): boolean {
    return this.#values.has(nameOf(name))
  }
  set(name: string, value: string): void {
    this.#values.set(nameOf(name), [lineOf(value)])
  }
  forEach(each: (value: string, name: string, all: Headers) => void): void {
    for (const [name, value] of this.entries()) each(value, name, this)
  }
  *entries(): IterableIterator<[string, string]> {
    for (const name of [...this.#values.keys()].sort()) {
      const values = this.#values.get(name) ?? []
      if (name === 'set-cookie') for (const value of values) yield [name, value]
      else yield [name, values.join(', ')]
    }
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }
  toJSON(): Record<string, string> {
    return Object.fromEntries(
      [...this.#values].map(([name, values]) => [name, values.join(name === 'set-cookie' ? '\n' : ', ')]),
    )
  }
}
