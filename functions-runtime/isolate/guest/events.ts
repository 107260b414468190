import { setTimeout } from './timers.ts'

// The web's own classes: programs write `new EventTarget()` and `extends`.
type Listener = ((event: Event) => unknown) | { handleEvent: (event: Event) => unknown }
type Options = { once?: boolean; signal?: AbortSignal } | boolean

export class DOMException extends Error {
  constructor(message = '', name: string | { name?: string } = 'Error') {
    super(message)
    Object.defineProperty(this, 'name', {
      value: typeof name === 'string' ? name : (name.name ?? 'Error'),
      configurable: true,
    })
  }
  get code(): number {
    return { TimeoutError: 23, AbortError: 20, DataCloneError: 25, InvalidCharacterError: 5 }[this.name] ?? 0
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
  constructor(type: string, { cancelable = false } = {}) {
    this.type = String(type)
    this.cancelable = cancelable
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
  constructor(type: string, options: { cancelable?: boolean; detail?: unknown } = {}) {
    super(type, options)
    this.detail = options.detail ?? null
  }
}

export class EventTarget {
  #listeners: { type: string; listener: Listener; once: boolean }[] = []
  addEventListener(type: string, listener: Listener | null, options: Options = {}): void {
    const { once = false, signal } = typeof options === 'object' ? options : {}
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
      if (one.type !== event.type || event.isStopped) continue
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
  aborted = false
  reason: unknown = undefined
  onabort: ((event: Event) => unknown) | null = null
  constructor(key?: symbol) {
    super()
    if (key !== inside) throw new TypeError('Illegal constructor')
  }
  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }
  [abort](reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason ?? new DOMException('This operation was aborted', 'AbortError')
    const event = new Event('abort')
    this.onabort?.(event)
    this.dispatchEvent(event)
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
  abort(reason?: unknown): void {
    this.signal[abort](reason)
  }
}
