/** The names that a program finds. What costs time to make is made when it is first touched: most runs touch little of it. */
import { onUncaught } from './timers.ts'

type Part = Record<string, unknown>

const parts: readonly [string, () => Part][] = [
  ['setTimeout setInterval clearTimeout clearInterval queueMicrotask', () => require('./timers.ts')],
  ['console', () => require('./console.ts')],
  ['Event CustomEvent EventTarget AbortController AbortSignal DOMException', () => require('./events.ts')],
  ['TextEncoder TextDecoder atob btoa', () => require('./text.ts')],
  ['URL URLSearchParams', () => require('./url.ts')],
  ['Headers', () => require('./headers.ts')],
  ['Request Response', () => require('./http.ts')],
  ['Blob File', () => require('./blob.ts')],
  ['FormData', () => require('./form.ts')],
  [
    'ReadableStream ReadableStreamDefaultReader WritableStream WritableStreamDefaultWriter',
    () => require('./streams.ts'),
  ],
  ['TransformStream TextEncoderStream TextDecoderStream', () => require('./transforms.ts')],
  ['fetch', () => require('./effects.ts')],
  ['crypto CryptoKey', () => require('./crypto.ts')],
  ['structuredClone', () => require('./clone.ts')],
]

/** Of those whose part is made when they are touched. */
export const names = parts.flatMap(([all]) => all.split(' '))

const owners = new Map(parts.flatMap(([names, load]) => names.split(' ').map((name) => [name, load])))

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false })
}

/**
 * The names are found through the prototype of the global object: to define each of them took a fifth of a millisecond in
 * every context. Once found, a name is the global object's own.
 */
export function defineGlobals(target: object, uncaught: (error: unknown) => void): void {
  onUncaught(uncaught)
  const begun = Date.now()
  define(target, 'self', target)
  define(target, 'performance', { now: () => Date.now() - begun, timeOrigin: begun })
  // V8 brings a console that says nothing.
  Reflect.deleteProperty(target, 'console')
  const { get, has } = Reflect
  const prototype = new Proxy(Object.create(Object.prototype), {
    has: (from, name) => owners.has(name as string) || has(from, name),
    get(from, name, receiver) {
      const load = owners.get(name as string)
      if (!load) return get(from, name, receiver)
      const value = load()[name as string]
      define(target, name as string, value)
      return value
    },
  })
  Object.setPrototypeOf(target, prototype)
}
