import { AbortController, type AbortSignal } from './events.ts'
import type { Strategy } from './readable.ts'

type Controller = { readonly signal: AbortSignal; error: (reason: unknown) => void }
type Sink<T> = {
  start?: (controller: Controller) => unknown
  write?: (chunk: T, controller: Controller) => unknown
  close?: () => unknown
  abort?: (reason: unknown) => unknown
}

/** What a stream is inside: its writer and transforms reach it by this; programs do not. */
class Inside<T> {
  state: 'open' | 'closing' | 'closed' | 'failed' = 'open'
  reason: unknown
  writer: { finish: (failure: { reason: unknown } | null) => void; turn: (isReady: boolean) => void } | null = null
  #tail: Promise<unknown>
  #total = 0
  readonly #room: number
  readonly #size: (chunk: T) => number
  readonly #sink: Sink<T>
  readonly #controller: Controller
  readonly #aborting = new AbortController()

  constructor(sink: Sink<T>, { highWaterMark = 1, size = () => 1 }: Strategy<T>) {
    this.#sink = sink
    this.#room = highWaterMark
    this.#size = size
    this.#controller = { signal: this.#aborting.signal, error: (reason) => this.fail(reason) }
    this.#tail = Promise.resolve(sink.start?.(this.#controller)).catch((reason) => this.fail(reason))
  }
  desiredSize(): number | null {
    if (this.state === 'failed') return null
    return this.state === 'closed' ? 0 : this.#room - this.#total
  }
  isReady(): boolean {
    return this.state !== 'open' || this.#total < this.#room
  }
  fail(reason: unknown): void {
    if (this.state === 'closed' || this.state === 'failed') return
    this.state = 'failed'
    this.reason = reason
    this.writer?.finish({ reason })
  }
  #next(work: () => unknown): Promise<void> {
    const done = this.#tail.then(async () => {
      if (this.state === 'failed') throw this.reason
      await work()
    })
    this.#tail = done.catch((reason) => this.fail(reason))
    return done
  }
  async write(chunk: T): Promise<void> {
    if (this.state === 'failed') throw this.reason
    if (this.state !== 'open') throw new TypeError('The stream is closed.')
    const size = Number(this.#size(chunk))
    this.#total += size
    this.writer?.turn(this.isReady())
    const done = this.#next(() => this.#sink.write?.(chunk, this.#controller))
    const settled = () => {
      this.#total -= size
      if (this.state === 'open') this.writer?.turn(this.isReady())
    }
    done.then(settled, settled)
    return done
  }
  async close(): Promise<void> {
    if (this.state !== 'open') throw new TypeError('The stream is closed.')
    this.state = 'closing'
    this.writer?.turn(true)
    await this.#next(async () => {
      await this.#sink.close?.()
      this.state = 'closed'
      this.writer?.finish(null)
    })
  }
  /** Waits for what is being written. */
  async abort(reason?: unknown): Promise<void> {
    if (this.state === 'closed' || this.state === 'failed') return
    this.#aborting.abort(reason)
    this.fail(reason)
    await this.#tail
    await this.#sink.abort?.(reason)
  }
}

export let insideOf: <T>(stream: WritableStream<T>) => Inside<T>

// The web's own classes.
export class WritableStream<T = unknown> {
  readonly #inside: Inside<T>
  static {
    insideOf = (stream) => stream.#inside
  }
  constructor(sink: Sink<T> = {}, strategy: Strategy<T> = {}) {
    this.#inside = new Inside(sink, strategy)
  }
  get [Symbol.toStringTag]() {
    return 'WritableStream'
  }
  get locked(): boolean {
    return this.#inside.writer !== null
  }
  async close(): Promise<void> {
    if (this.locked) throw new TypeError('The stream is locked.')
    return this.#inside.close()
  }
  async abort(reason?: unknown): Promise<void> {
    if (this.locked) throw new TypeError('The stream is locked.')
    return this.#inside.abort(reason)
  }
  getWriter(): WritableStreamDefaultWriter<T> {
    return new WritableStreamDefaultWriter(this)
  }
}

const released = () => new TypeError('The writer has been released.')

export class WritableStreamDefaultWriter<T = unknown> {
  #inside: Inside<T> | null
  #closed = Promise.withResolvers<undefined>()
  #ready = Promise.withResolvers<undefined>()
  #isReady = false
  constructor(stream: WritableStream<T>) {
    if (stream.locked) throw new TypeError('The stream is locked.')
    const inside = insideOf(stream)
    this.#inside = inside
    this.#closed.promise.catch(() => {})
    this.#ready.promise.catch(() => {})
    inside.writer = { finish: (failure) => this.#finish(failure), turn: (isReady) => this.#turn(isReady) }
    if (inside.state === 'failed') this.#finish(inside)
    else if (inside.state === 'closed') this.#finish(null)
    else this.#turn(inside.isReady())
  }
  #turn(isReady: boolean): void {
    if (isReady) this.#ready.resolve(undefined)
    else if (this.#isReady) {
      this.#ready = Promise.withResolvers()
      this.#ready.promise.catch(() => {})
    }
    this.#isReady = isReady
  }
  #finish(failure: { reason: unknown } | null): void {
    if (!failure) {
      this.#closed.resolve(undefined)
      this.#turn(true)
      return
    }
    // Whoever waits for its end hears first.
    this.#closed.reject(failure.reason)
    this.#turn(false)
    this.#ready.reject(failure.reason)
  }
  get [Symbol.toStringTag]() {
    return 'WritableStreamDefaultWriter'
  }
  get closed(): Promise<undefined> {
    return this.#closed.promise
  }
  get ready(): Promise<undefined> {
    return this.#ready.promise
  }
  get desiredSize(): number | null {
    if (!this.#inside) throw released()
    return this.#inside.desiredSize()
  }
  async write(chunk: T): Promise<void> {
    if (!this.#inside) throw released()
    return this.#inside.write(chunk)
  }
  async close(): Promise<void> {
    if (!this.#inside) throw released()
    return this.#inside.close()
  }
  async abort(reason?: unknown): Promise<void> {
    if (!this.#inside) throw released()
    return this.#inside.abort(reason)
  }
  releaseLock(): void {
    if (!this.#inside) return
    this.#inside.writer = null
    this.#inside = null
    this.#finish({ reason: released() })
  }
}
