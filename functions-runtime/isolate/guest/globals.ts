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

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false })
}

export function defineGlobals(target: object, uncaught: (error: unknown) => void): void {
  onUncaught(uncaught)
  const begun = Date.now()
  define(target, 'self', target)
  define(target, 'performance', { now: () => Date.now() - begun, timeOrigin: begun })
  for (const [names, load] of parts) {
    for (const name of names.split(' ')) {
      Object.defineProperty(target, name, {
        get: () => {
          const value = load()[name]
          define(target, name, value)
          return value
        },
        set: (value) => define(target, name, value),
        configurable: true,
        enumerable: false,
      })
    }
  }
}
