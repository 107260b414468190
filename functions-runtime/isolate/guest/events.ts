import { setTimeout } from './timers.ts'

// The web's own classes: programs write `new EventTarget()` and `extends`.
type Listener = ((event: Event) => unknown) | { handleEvent: (event: Event) => unknown }
type Options = { once?: boolean; signal?: AbortSignal } | boolean | null
type Kind = { bubbles?: boolean; cancelable?: boolean; composed?: boolean }

const codes: Record<string, number> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  InvalidCharacterError: 5,
  NotFoundError: 8,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidAccessError: 15,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
}

export class DOMException extends Error {
  constructor(message = '', name: string | { name?: string; cause?: unknown } = 'Error') {
    super(message)
    Object.defineProperty(this, 'name', {
      value: typeof name === 'string' ? name : (name.name ?? 'Error'),
      configurable: true,
    })
    if (typeof name === 'object' && 'cause' in name) {
      Object.defineProperty(this, 'cause', { value: name.cause, configurable: true, writable: true })
    }
  }
  get [Symbol.toStringTag]() {
    return 'DOMException'
  }
  get code(): number {
    return codes[this.name] ?? 0
  }
}

// ABORT_ERR, of the class and of each.
for (const [name, value] of Object.entries(codes)) {
  const constant = `${name
    .replace('Error', '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase()}_ERR`
  for (const target of [DOMException, DOMException.prototype]) {
    Object.defineProperty(target, constant, { value, enumerable: true })
  }
}

/** Clients that may open one look for it when they are made. */
export class WebSocket {
  constructor() {
    throw new DOMException('A function opens no sockets.', 'NotSupportedError')
  }
}

export class Event {
  readonly type: string
  readonly cancelable: boolean
  readonly timeStamp = Date.now()
  defaultPrevented = false
  target: EventTarget | null = null
  currentTarget: EventTarget | null = null
  isStopped = false
  readonly bubbles: boolean
  readonly composed: boolean
  constructor(type: string, { bubbles = false, cancelable = false, composed = false }: Kind = {}) {
    this.type = String(type)
    this.bubbles = Boolean(bubbles)
    this.cancelable = Boolean(cancelable)
    this.composed = Boolean(composed)
  }
  get [Symbol.toStringTag]() {
    return 'Event'
  }
  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true
  }
  stopPropagation(): void {}
  stopImmediatePropagation(): void {
    this.isStopped = true
  }
}

export class CustomEvent extends Event {
  readonly detail: unknown
  constructor(type: string, options: Kind & { detail?: unknown } = {}) {
    super(type, options)
    this.detail = options.detail ?? null
  }
}

export class EventTarget {
  #listeners: { type: string; listener: Listener; once: boolean }[] = []
  addEventListener(type: string, listener: Listener | null, options: Options = {}): void {
    const { once = false, signal } = typeof options === 'object' && options !== null ? options : {}
    if (!listener || signal?.aborted) return
    if (this.#listeners.some((one) => one.type === type && one.listener === listener)) return
    this.#listeners.push({ type, listener, once })
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener), { once: true })
  }
  removeEventListener(type: string, listener: Listener | null): void {
    this.#listeners = this.#listeners.filter((one) => one.type !== type || one.listener !== listener)
  }
  dispatchEvent(event: Event): boolean {
    event.target = this
    event.currentTarget = this
    for (const one of [...this.#listeners]) {
      // One that another has removed meanwhile is not called.
      if (one.type !== event.type || event.isStopped || !this.#listeners.includes(one)) continue
      if (one.once) this.removeEventListener(one.type, one.listener)
      if (typeof one.listener === 'function') one.listener.call(this, event)
      else one.listener.handleEvent(event)
    }
    return !event.defaultPrevented
  }
}

const inside = Symbol('inside')
const abort = Symbol('abort')

export class AbortSignal extends EventTarget {
  #aborted: { reason: unknown } | null = null
  #handler: ((event: Event) => unknown) | null = null
  readonly #handle = (event: Event) => this.#handler?.call(this, event)
  constructor(key?: symbol) {
    super()
    if (key !== inside) throw new TypeError('Illegal constructor')
  }
  get [Symbol.toStringTag]() {
    return 'AbortSignal'
  }
  get onabort() {
    return this.#handler
  }
  /** It is called in its turn among the listeners, which is that of its first setting. */
  set onabort(handler) {
    this.#handler = typeof handler === 'function' ? handler : null
    if (this.#handler) this.addEventListener('abort', this.#handle)
    else this.removeEventListener('abort', this.#handle)
  }
  get aborted(): boolean {
    return this.#aborted !== null
  }
  get reason(): unknown {
    return this.#aborted?.reason
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#aborted.reason
  }
  [abort](reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.#aborted) return
    this.#aborted = { reason }
    this.dispatchEvent(new Event('abort'))
  }
  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(inside)
    signal[abort](reason)
    return signal
  }
  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal(inside)
    setTimeout(() => signal[abort](new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms)
    return signal
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const made = new AbortSignal(inside)
    for (const signal of signals) {
      if (signal.aborted) made[abort](signal.reason)
      else signal.addEventListener('abort', () => made[abort](signal.reason), { once: true })
    }
    return made
  }
}

export class AbortController {
  readonly signal = new AbortSignal(inside)
  get [Symbol.toStringTag]() {
    return 'AbortController'
  }
  abort(reason?: unknown): void {
    this.signal[abort](reason)
  }
}
