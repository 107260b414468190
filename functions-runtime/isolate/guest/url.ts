import { decodeText } from './bytes.ts'
import { scope } from './scope.ts'

type Parts = Record<
  | 'href'
  | 'protocol'
  | 'username'
  | 'password'
  | 'host'
  | 'hostname'
  | 'port'
  | 'pathname'
  | 'search'
  | 'hash'
  | 'origin',
  string
>
type Init = string | Iterable<readonly [string, string]> | Record<string, string> | URLSearchParams

const decode = (text: string) => {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    // What is no UTF-8 is told as such, and the rest of it stays what it is.
    return spaced.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
      const bytes = Uint8Array.from(run.slice(1).split('%'), (one) => Number.parseInt(one, 16))
      return decodeText(scope().call, bytes)
    })
  }
}
const encode = (text: string) =>
  encodeURIComponent(text.toWellFormed())
    .replace(/[!'()~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')

function pairOf(given: readonly [string, string]): [string, string] {
  const [name, value, ...more] = given
  if (value === undefined || more.length > 0) throw new TypeError('A parameter is a name and a value.')
  return [String(name), String(value)]
}

// The web's own classes.
export class URLSearchParams {
  #pairs: [string, string][] = []
  onChange: ((text: string) => void) | null = null
  constructor(init: Init = '') {
    Object.defineProperty(this, 'onChange', { enumerable: false, writable: true })
    if (typeof init !== 'object' || init === null) this.parse(String(init))
    else if (Symbol.iterator in init) this.#pairs = [...init].map(pairOf)
    else this.#pairs = Object.entries(init).map(([name, value]) => [name, String(value)])
  }
  get [Symbol.toStringTag]() {
    return 'URLSearchParams'
  }
  /** What stands here instead from now on. */
  parse(text: string): void {
    this.#pairs = []
    for (const part of text.replace(/^\?/, '').split('&')) {
      if (part === '') continue
      const at = part.indexOf('=')
      this.#pairs.push(at < 0 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))])
    }
  }
  #set(pairs: [string, string][]): void {
    this.#pairs = pairs
    this.onChange?.(this.toString())
  }
  get size(): number {
    return this.#pairs.length
  }
  append(name: string, value: string): void {
    this.#set([...this.#pairs, [String(name), String(value)]])
  }
  delete(name: string, value?: string): void {
    this.#set(this.#pairs.filter((one) => one[0] !== name || (value !== undefined && one[1] !== value)))
  }
  get(name: string): string | null {
    return this.#pairs.find((one) => one[0] === name)?.[1] ?? null
  }
  getAll(name: string): string[] {
    return this.#pairs.filter((one) => one[0] === name).map((one) => one[1])
  }
  has(name: string, value?: string): boolean {
    return this.#pairs.some((one) => one[0] === name && (value === undefined || one[1] === value))
  }
  set(name: string, value: string): void {
    const at = this.#pairs.findIndex((one) => one[0] === name)
    const others = this.#pairs.filter((one, index) => one[0] !== name || index === at)
    const pair: [string, string] = [String(name), String(value)]
    this.#set(at < 0 ? [...others, pair] : others.map((one) => (one[0] === name ? pair : one)))
  }
  sort(): void {
    this.#set([...this.#pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
  }
  forEach(each: (value: string, name: string, all: URLSearchParams) => void): void {
    for (const [name, value] of this.#pairs) each(value, name, this)
  }
  *entries(): IterableIterator<[string, string]> {
    for (const [name, value] of this.#pairs) yield [name, value]
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.#pairs) yield name
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this.#pairs) yield value
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }
  toString(): string {
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  }
}

/** Parsing and changing happen in the host, by the very rules that its `fetch` goes by. */
function ask(op: 'parse' | 'set', head: unknown): Parts | null {
  return scope().call('url', { op, head }).head as Parts | null
}

export class URL {
  #parts: Parts
  #params: URLSearchParams | null = null
  declare href: string
  declare protocol: string
  declare username: string
  declare password: string
  declare host: string
  declare hostname: string
  declare port: string
  declare pathname: string
  declare search: string
  declare hash: string
  constructor(text: string | URL, base?: string | URL) {
    const parts = ask('parse', { text: String(text), base: base === undefined ? null : String(base) })
    if (!parts) throw new TypeError('Invalid URL')
    this.#parts = parts
  }
  get [Symbol.toStringTag]() {
    return 'URL'
  }
  static canParse(text: string | URL, base?: string | URL): boolean {
    return URL.parse(text, base) !== null
  }
  static parse(text: string | URL, base?: string | URL): URL | null {
    try {
      return new URL(text, base)
    } catch {
      return null
    }
  }
  get origin(): string {
    return this.#parts.origin
  }
  get searchParams(): URLSearchParams {
    if (this.#params) return this.#params
    const params = new URLSearchParams(this.#parts.search)
    params.onChange = (text) => {
      this.#parts = ask('set', { href: this.href, part: 'search', value: text }) ?? this.#parts
    }
    this.#params = params
    return params
  }
  toString(): string {
    return this.#parts.href
  }
  toJSON(): string {
    return this.#parts.href
  }
  part(name: keyof Parts): string {
    return this.#parts[name]
  }
  change(name: keyof Parts, value: string): void {
    const parts = ask('set', { href: this.href, part: name, value: String(value) })
    if (!parts) throw new TypeError('Invalid URL')
    this.#parts = parts
    if (name === 'search' || name === 'href') this.#params?.parse(parts.search)
  }
}

const { part, change } = URL.prototype
for (const name of [
  'href',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const) {
  Object.defineProperty(URL.prototype, name, {
    get(this: URL) {
      return part.call(this, name)
    },
    set(this: URL, value: string) {
      change.call(this, name, value)
    },
    enumerable: true,
    configurable: true,
  })
}
