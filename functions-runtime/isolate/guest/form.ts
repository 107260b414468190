import { Blob, bytesOfBlob, File, joined } from './blob.ts'
import { decodeText, encodeText } from './bytes.ts'
import { scope } from './scope.ts'
import { URLSearchParams } from './url.ts'

type Value = string | File

// The web's own class.
export class FormData {
  #pairs: [string, Value][] = []
  get [Symbol.toStringTag]() {
    return 'FormData'
  }
  append(...given: [name: string, value: unknown, filename?: string]): void {
    this.#pairs.push(pairOf(given))
  }
  set(...given: [name: string, value: unknown, filename?: string]): void {
    const pair = pairOf(given)
    const at = this.#pairs.findIndex((one) => one[0] === pair[0])
    if (at < 0) this.#pairs.push(pair)
    else this.#pairs = this.#pairs.filter((one, index) => index <= at || one[0] !== pair[0]).with(at, pair)
  }
  delete(name: string): void {
    this.#pairs = this.#pairs.filter((one) => one[0] !== name)
  }
  get(name: string): Value | null {
    return this.#pairs.find((one) => one[0] === name)?.[1] ?? null
  }
  getAll(name: string): Value[] {
    return this.#pairs.filter((one) => one[0] === name).map((one) => one[1])
  }
  has(name: string): boolean {
    return this.#pairs.some((one) => one[0] === name)
  }
  forEach(each: (value: Value, name: string, all: FormData) => void): void {
    for (const [name, value] of this.#pairs) each(value, name, this)
  }
  *entries(): IterableIterator<[string, Value]> {
    yield* this.#pairs
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this.#pairs) yield name
  }
  *values(): IterableIterator<Value> {
    for (const [, value] of this.#pairs) yield value
  }
  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.entries()
  }
}

function pairOf(given: readonly unknown[]): [string, Value] {
  const [name, value, filename] = given
  if (given.length < 2) throw new TypeError('A form takes a name and a value.')
  if (!(value instanceof Blob)) {
    if (given.length > 2) throw new TypeError('Only a Blob has a file name.')
    return [String(name), String(value)]
  }
  if (value instanceof File && filename === undefined) return [String(name), value]
  return [String(name), new File([value], String(filename ?? 'blob'), { type: value.type })]
}

const lines = (text: string) => text.replace(/\r\n?|\n/g, '\r\n')
const quoted = (text: string) => text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const unquoted = (text: string) => text.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n')

/** The bytes of a form, as `multipart/form-data`. */
export function encodeForm(form: FormData): { source: Uint8Array<ArrayBuffer>; type: string } {
  const boundary = `----tendril${String(Math.random()).slice(2)}${Date.now()}`
  const bytes = (text: string) => encodeText(scope().call, text)
  const pieces: Uint8Array[] = []
  for (const [name, value] of form) {
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${quoted(lines(name))}"`
    if (typeof value === 'string') pieces.push(bytes(`${head}\r\n\r\n${lines(value)}\r\n`))
    else {
      const file = `; filename="${quoted(value.name)}"\r\ncontent-type: ${value.type || 'application/octet-stream'}`
      pieces.push(bytes(`${head}${file}\r\n\r\n`), bytesOfBlob(value), bytes('\r\n'))
    }
  }
  return {
    source: joined([...pieces, bytes(`--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  }
}

/** A form out of bytes, by their content type. */
export function decodeForm(bytes: Uint8Array, type: string): FormData {
  const form = new FormData()
  if (/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    for (const [name, value] of new URLSearchParams(decodeText(scope().call, bytes))) form.append(name, value)
    return form
  }
  const [, inQuotes, plain] = /;\s*boundary=(?:"([^"]+)"|([^";\s]+))/i.exec(type) ?? []
  const boundary = inQuotes ?? plain
  if (!/^multipart\/form-data\s*;/i.test(type) || !boundary) throw new TypeError('The body is no form.')
  // Each byte as one character, so that positions in the text are positions in the bytes.
  const text = latin1(bytes)
  const mark = `\r\n--${boundary}`
  // The first one has no line before it.
  let at = text.startsWith(mark.slice(2)) ? -2 : text.indexOf(mark)
  for (;;) {
    const start = at + mark.length
    if (at !== -1 && text.startsWith('--', start)) return form
    const [head, end] = [text.indexOf('\r\n\r\n', start), text.indexOf(mark, start)]
    if (at === -1 || head < 0 || end < head) throw new TypeError('The form is broken.')
    addPart(form, utf8(bytes.subarray(start, head)), bytes.subarray(head + 4, Math.max(end, head + 4)))
    at = end
  }
}

function addPart(form: FormData, head: string, body: Uint8Array): void {
  const name = parameter(head, 'name')
  if (name === undefined) throw new TypeError('The form is broken: a part has no name.')
  const filename = parameter(head, 'filename')
  const type = /^content-type:(.*)$/im.exec(head)?.[1]?.trim() || 'text/plain'
  if (filename === undefined) form.append(name, utf8(body))
  else form.append(name, new File([body], filename, { type }))
}

function parameter(head: string, name: string): string | undefined {
  const found = new RegExp(`^content-disposition:.*?;[ \\t]*${name}=(?:"([^"]*)"|([^\\s;]+))`, 'im').exec(head)
  const given = found?.[1] ?? found?.[2]
  return given === undefined ? undefined : unquoted(given)
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4_096) text += String.fromCharCode(...bytes.subarray(at, at + 4_096))
  return text
}

const utf8 = (bytes: Uint8Array) => decodeText(scope().call, bytes)
