import type { Call } from './channel.ts'

type Base64 = { fromBase64: (text: string) => Uint8Array<ArrayBuffer> }

export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => (Uint8Array as unknown as Base64).fromBase64(text)

export const toBase64 = (bytes: Uint8Array): string => (bytes as unknown as { toBase64: () => string }).toBase64()

/** UTF-8. Short plain text is done here: a call out of the isolate costs more. */
export function encodeText(call: Call, text: string): Uint8Array<ArrayBuffer> {
  if (text.length <= 256) {
    const bytes = new Uint8Array(text.length)
    let at = 0
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code > 127) break
      bytes[at] = code
    }
    if (at === text.length) return bytes
  }
  return fromBase64(call('encode', null, text).bytes)
}

export function decodeText(call: Call, bytes: Uint8Array, encoding = 'utf-8', fatal = false): string {
  if (bytes.length === 0) return ''
  return call('decode', { encoding, fatal }, toBase64(bytes)).bytes
}

/** The bytes of whatever holds bytes; null for anything else. */
export function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | null {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
  }
  return value instanceof ArrayBuffer ? new Uint8Array(value) : null
}
