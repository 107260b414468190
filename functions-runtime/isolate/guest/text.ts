import { bytesOf, decodeText, encodeText, fromBase64, toBase64 } from './bytes.ts'
import { DOMException } from './events.ts'
import { scope } from './scope.ts'

// The web's own classes.
export class TextEncoder {
  readonly encoding = 'utf-8'
  get [Symbol.toStringTag]() {
    return 'TextEncoder'
  }
  encode(text = ''): Uint8Array<ArrayBuffer> {
    return encodeText(scope().call, String(text))
  }
  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    const bytes = this.encode(text)
    let written = Math.min(bytes.length, into.length)
    // No half of a character.
    while (written < bytes.length && written > 0 && ((bytes[written] ?? 0) & 0xc0) === 0x80) written -= 1
    into.set(bytes.subarray(0, written))
    return { read: decodeText(scope().call, bytes.subarray(0, written)).length, written }
  }
}

export class TextDecoder {
  readonly encoding: string
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  #rest = new Uint8Array(0)
  #isBegun = false
  constructor(encoding = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
    const { head } = scope().call('decode', { encoding: String(encoding) })
    this.encoding = (head as { encoding: string }).encoding
    this.fatal = Boolean(fatal)
    this.ignoreBOM = Boolean(ignoreBOM)
  }
  get [Symbol.toStringTag]() {
    return 'TextDecoder'
  }
  decode(input?: unknown, options?: { stream?: boolean }): string {
    const given = input === undefined ? new Uint8Array(0) : bytesOf(input)
    if (!given) throw new TypeError('The input must be bytes.')
    const stream = Boolean(options?.stream)
    const bytes = new Uint8Array(this.#rest.length + given.length)
    bytes.set(this.#rest)
    bytes.set(given, this.#rest.length)
    this.#rest = new Uint8Array(0)
    const { encoding, fatal } = this
    // Only the first of what comes in pieces can be a mark of the order of bytes.
    const ignoreBOM = this.ignoreBOM || this.#isBegun
    this.#isBegun = stream && this.#isBegun
    if (bytes.length === 0) return ''
    const told = scope().call('decode', { encoding, fatal, ignoreBOM, stream }, toBase64(bytes))
    const { rest } = told.head as { rest: number }
    this.#rest = bytes.slice(bytes.length - rest)
    this.#isBegun = stream && (this.#isBegun || rest < bytes.length)
    return told.bytes
  }
}

export function btoa(text: string): string {
  const given = String(text)
  const bytes = new Uint8Array(given.length)
  for (let at = 0; at < given.length; at += 1) {
    const code = given.charCodeAt(at)
    if (code > 255) throw new DOMException('The text holds characters over U+00FF.', 'InvalidCharacterError')
    bytes[at] = code
  }
  return toBase64(bytes)
}

export function atob(text: string): string {
  let bytes: Uint8Array
  try {
    bytes = fromBase64(String(text))
  } catch {
    throw new DOMException('The text is not base64.', 'InvalidCharacterError')
  }
  let result = ''
  for (let at = 0; at < bytes.length; at += 4_096) result += String.fromCharCode(...bytes.subarray(at, at + 4_096))
  return result
}
