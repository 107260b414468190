import { Blob, File } from './blob.ts'
import { scope } from './scope.ts'
import { btoa } from './text.ts'
import { URLSearchParams } from './url.ts'

type Value = string | File

// The web's own class.
export class FormData {
  #pairs: [string, Value][] = []
  append(name: string, value: unknown, filename?: string): void {
    this.#pairs.push([String(name), entry(value, filename)])
  }
  set(name: string, value: unknown, filename?: string): void {
    this.delete(name)
    this.append(name, value, filename)
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

function entry(value: unknown, filename?: string): Value {
  if (!(value instanceof Blob)) return String(value)
  return value instanceof File && filename === undefined
    ? value
    : new File([value], filename ?? 'blob', { type: value.type })
}

const quoted = (text: string) => text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

/** The bytes of a form, as `multipart/form-data`. */
export async function encodeForm(form: FormData): Promise<{ blob: Blob; type: string }> {
  const boundary = `----tendril${btoa(String(Math.random())).replace(/\W/g, '')}${Date.now()}`
  const parts: unknown[] = []
  for (const [name, value] of form) {
    const isFile = value instanceof File
    const file = isFile
      ? `; filename="${quoted(value.name)}"\r\ncontent-type: ${value.type || 'application/octet-stream'}`
      : ''
    parts.push(`--${boundary}\r\ncontent-disposition: form-data; name="${quoted(name)}"${file}\r\n\r\n`, value, '\r\n')
  }
  return { blob: new Blob([...parts, `--${boundary}--\r\n`]), type: `multipart/form-data; boundary=${boundary}` }
}

/** A form out of bytes, by their content type. */
export function decodeForm(bytes: Uint8Array, text: () => string, type: string): FormData {
  const form = new FormData()
  if (type.startsWith('application/x-www-form-urlencoded')) {
    for (const [name, value] of new URLSearchParams(text())) form.append(name, value)
    return form
  }
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (!type.startsWith('multipart/form-data') || !boundary) throw new TypeError('The body is no form.')
  // Each byte as one character, so that positions in the text are positions in the bytes.
  const binary = latin1(bytes)
  for (const part of binary.split(`--${boundary}`).slice(1, -1)) addPart(form, part)
  return form
}

function addPart(form: FormData, part: string): void {
  const at = part.indexOf('\r\n\r\n')
  const head = utf8(part.slice(0, at))
  const body = bytesOfLatin1(part.slice(at + 4, -2))
  const name = /\bname="([^"]*)"/i.exec(head)?.[1]
  if (at < 0 || name === undefined) throw new TypeError('The form is broken.')
  const filename = /\bfilename="([^"]*)"/i.exec(head)?.[1]
  const type = /^content-type:\s*(\S+)/im.exec(head)?.[1] ?? 'text/plain'
  form.append(name, filename === undefined ? utf8(part.slice(at + 4, -2)) : new File([body], filename, { type }))
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4_096) text += String.fromCharCode(...bytes.subarray(at, at + 4_096))
  return text
}

const utf8 = (binary: string) => scope().call('decode', { encoding: 'utf-8', fatal: false }, btoa(binary)).bytes

function bytesOfLatin1(binary: string): Uint8Array {
  return Uint8Array.from(binary, (one) => one.charCodeAt(0))
}
