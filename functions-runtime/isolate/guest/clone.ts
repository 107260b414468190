import { DOMException } from './events.ts'

const errors = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }

function refuse(value: unknown): never {
  throw new DOMException(`A ${typeof value} cannot be cloned.`, 'DataCloneError')
}

/** The web's `structuredClone`, without transfers. */
export function structuredClone<T>(value: T): T {
  return clone(value, new Map()) as T
}

function clone(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return refuse(value)
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return seen.get(value)
  const made = copy(value)
  seen.set(value, made)
  fill(value, made, (one) => clone(one, seen))
  return made
}

/** A new object of the same kind, with what it needs to be made. */
function copy(value: object): object {
  if (value instanceof Date) return new Date(value)
  if (value instanceof RegExp) return new RegExp(value.source, value.flags)
  if (value instanceof Map) return new Map()
  if (value instanceof Set) return new Set()
  if (value instanceof ArrayBuffer) return value.slice(0)
  if (ArrayBuffer.isView(value)) return copyView(value)
  if (Array.isArray(value)) return new Array(value.length)
  if (value instanceof Error) {
    const kind = errors[value.name as keyof typeof errors] ?? Error
    const made = new kind(value.message)
    Object.defineProperty(made, 'stack', { value: value.stack, configurable: true, writable: true })
    return made
  }
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof Promise) return refuse(value)
  return {}
}

function copyView(view: ArrayBufferView): ArrayBufferView {
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)
  const kind = view.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView
  return new kind(buffer)
}

function fill(from: object, to: object, deep: (value: unknown) => unknown): void {
  if (from instanceof Map && to instanceof Map) for (const [key, one] of from) to.set(deep(key), deep(one))
  else if (from instanceof Set && to instanceof Set) for (const one of from) to.add(deep(one))
  else if (from instanceof Error && from.cause !== undefined) Object.assign(to, { cause: deep(from.cause) })
  else if (
    !ArrayBuffer.isView(from) &&
    !(from instanceof ArrayBuffer || from instanceof Date || from instanceof RegExp)
  ) {
    for (const [key, one] of Object.entries(from)) Object.assign(to, { [key]: deep(one) })
  }
}
