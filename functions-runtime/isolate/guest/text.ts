import { bytesOf, decodeText, encodeText, fromBase64, toBase64 } from './bytes.ts'
import { DOMException } from './events.ts'
import { scope } from './scope.ts'

// The web's own classes.
export class TextEncoder {
  readonly encoding = 'utf-8'
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
  #rest = new Uint8Array(0)
  constructor(encoding = 'utf-8', { fatal = false } = {}) {
    this.encoding = String(encoding)
      .toLowerCase()
      .replace(/^utf8$/, 'utf-8')
    this.fatal = fatal
    scope().call('decode', { encoding: this.encoding, fatal })
  }
  decode(input?: unknown, { stream = false } = {}): string {
    const given = input === undefined ? new Uint8Array(0) : bytesOf(input)
    if (!given) throw new TypeError('The input must be bytes.')
    const bytes = new Uint8Array(this.#rest.length + given.length)
    bytes.set(this.#rest)
    bytes.set(given, this.#rest.length)
    const end = stream ? completeEnd(bytes) : bytes.length
    this.#rest = bytes.slice(end)
    return decodeText(scope().call, bytes.subarray(0, end), this.encoding, this.fatal)
  }
}

/** Where the last complete character of UTF-8 ends. */
function completeEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return wanted > back ? bytes.length - back : bytes.length
  }
  return bytes.length
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
