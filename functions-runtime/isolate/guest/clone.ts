import { DOMException } from './events.ts'

const errors = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }

/** Told by their names: to have their classes here would make them for whoever clones anything. */
const unchanging = /^\[object (Blob|File|CryptoKey|DOMException)\]$/
/** What the web does not clone: a copy would be an empty object. */
const single =
  /^\[object (URL|URLSearchParams|Headers|FormData|Request|Response|(Readable|Writable|Transform)Stream(Default\w+)?)\]$/

function refuse(value: unknown): never {
  throw new DOMException(`A ${typeof value} cannot be cloned.`, 'DataCloneError')
}

/** The web's `structuredClone`. Only ArrayBuffers can be transferred. */
export function structuredClone<T>(...given: [value?: T, options?: { transfer?: Iterable<unknown> }]): T {
  if (given.length === 0) throw new TypeError('There is nothing to clone.')
  const [value, options] = given
  const transfer = [...(options?.transfer ?? [])]
  if (!transfer.every((one) => one instanceof ArrayBuffer)) return refuse(transfer)
  const cloned = clone(value, new Map()) as T
  for (const buffer of transfer as (ArrayBuffer & { transfer: () => unknown })[]) buffer.transfer()
  return cloned
}

function clone(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return refuse(value)
  if (typeof value !== 'object' || value === null) return value
  const tag = Object.prototype.toString.call(value)
  if (unchanging.test(tag)) return value
  if (single.test(tag)) return refuse(value)
  if (seen.has(value)) return seen.get(value)
  const deep = (one: unknown) => clone(one, seen)
  const made = copy(value, deep)
  seen.set(value, made)
  fill(value, made, deep)
  return made
}

/** A new object of the same kind, with what it needs to be made. */
function copy(value: object, deep: (value: unknown) => unknown): object {
  if (value instanceof Date) return new Date(value)
  if (value instanceof RegExp) return new RegExp(value.source, value.flags)
  if (value instanceof Map) return new Map()
  if (value instanceof Set) return new Set()
  if (value instanceof ArrayBuffer) return value.slice(0)
  if (ArrayBuffer.isView(value)) return copyView(value, deep(value.buffer) as ArrayBuffer)
  if (Array.isArray(value)) return new Array(value.length)
  if (value instanceof Error) {
    const made = new (errors[value.name as keyof typeof errors] ?? Error)(value.message)
    return hidden(made, 'stack', value.stack)
  }
  if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt) {
    return Object(value.valueOf())
  }
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef || value instanceof Promise) {
    return refuse(value)
  }
  return {}
}

/** Two views of one buffer are two of one again. */
function copyView(view: ArrayBufferView, buffer: ArrayBuffer): ArrayBufferView {
  const kind = view.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView
  return new kind(buffer, view.byteOffset, 'length' in view ? Number(view.length) : view.byteLength)
}

function hidden<T extends object>(target: T, name: string, value: unknown): T {
  return Object.defineProperty(target, name, { value, configurable: true, writable: true })
}

function own(target: object, name: string, value: unknown): void {
  if (name !== '__proto__') Reflect.set(target, name, value)
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}

function fill(from: object, to: object, deep: (value: unknown) => unknown): void {
  if (from instanceof Map && to instanceof Map) for (const [key, one] of from) to.set(deep(key), deep(one))
  else if (from instanceof Set && to instanceof Set) for (const one of from) to.add(deep(one))
  else if (from instanceof Error) {
    if ('cause' in from) hidden(to, 'cause', deep(from.cause))
  } else if (Array.isArray(from) || Object.getPrototypeOf(to) === Object.prototype) {
    for (const [key, one] of Object.entries(from)) own(to, key, deep(one))
  }
}
