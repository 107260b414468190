/** The names that a program finds. What costs time to make is made when it is first touched: most runs touch little of it. */
import { bytesOf, decodeText, encodeText, fromBase64, toBase64 } from './bytes.ts'
import { scope } from './scope.ts'
import type { Parts } from './web.ts'

/** `web.ts` and all that it requires, as bundle.ts puts it before this. */
declare const __web: (core: object) => Parts

let parts: Parts | undefined

export function web(): Parts {
  parts ??= __web({ scope, bytesOf, decodeText, encodeText, fromBase64, toBase64 })
  return parts
}

/** Which part makes a name. Made itself when a program asks for one that V8 does not have. */
const tableOf = () =>
  ({
    __proto__: null,
    setTimeout: 'timers',
    setInterval: 'timers',
    clearTimeout: 'timers',
    clearInterval: 'timers',
    queueMicrotask: 'timers',
    setImmediate: 'timers',
    clearImmediate: 'timers',
    console: 'console',
    Event: 'events',
    CustomEvent: 'events',
    EventTarget: 'events',
    AbortController: 'events',
    AbortSignal: 'events',
    DOMException: 'events',
    WebSocket: 'events',
    TextEncoder: 'text',
    TextDecoder: 'text',
    atob: 'text',
    btoa: 'text',
    URL: 'url',
    URLSearchParams: 'url',
    Headers: 'headers',
    Request: 'http',
    Response: 'http',
    Blob: 'blob',
    File: 'blob',
    FormData: 'form',
    ReadableStream: 'streams',
    ReadableStreamDefaultReader: 'streams',
    WritableStream: 'writable',
    WritableStreamDefaultWriter: 'writable',
    TransformStream: 'transforms',
    TextEncoderStream: 'transforms',
    TextDecoderStream: 'transforms',
    CompressionStream: 'zip',
    DecompressionStream: 'zip',
    CountQueuingStrategy: 'transforms',
    ByteLengthQueuingStrategy: 'transforms',
    fetch: 'effects',
    crypto: 'crypto',
    Crypto: 'crypto',
    CryptoKey: 'crypto',
    SubtleCrypto: 'crypto',
    structuredClone: 'clone',
  }) as unknown as Record<PropertyKey, keyof Parts>

/** Of those whose part is made when they are touched. */
export const names = () => Object.keys(tableOf())

let table: Record<PropertyKey, keyof Parts> | undefined

function partOf(name: PropertyKey): keyof Parts | undefined {
  table ??= tableOf()
  return table[name]
}

function define(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false })
}

/**
 * The names are found through the prototype of the global object: to define each of them took a fifth of a millisecond in
 * every context. Once found, a name is the global object's own.
 */
export function defineGlobals(target: object): void {
  const begun = Date.now()
  define(target, 'self', target)
  define(target, 'navigator', { userAgent: 'Tendril' })
  define(target, 'performance', { now: () => Date.now() - begun, timeOrigin: begun })
  // V8 brings a console that says nothing.
  Reflect.deleteProperty(target, 'console')
  const { get, has } = Reflect
  const found = new Proxy(Object.create(Object.prototype), {
    has: (from, name) => partOf(name) !== undefined || has(from, name),
    get(from, name, receiver) {
      const part = partOf(name)
      if (part === undefined) return get(from, name, receiver)
      const value = (web()[part]() as Record<PropertyKey, unknown>)[name]
      define(target, name, value)
      return value
    },
  })
  Object.setPrototypeOf(target, found)
}
