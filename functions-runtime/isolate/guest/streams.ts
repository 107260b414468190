/** Readable streams, as the web has them: default readers, back pressure by any size, pipes. No byte readers. */
import { type PipeOptions, pipe } from './pipes.ts'
import { type Controller, Inside, type Source, type Step, type Strategy } from './readable.ts'
import type { WritableStream } from './writable.ts'

export let insideOf: <T>(stream: ReadableStream<T>) => Inside<T>

// The web's own classes.
export class ReadableStream<T = unknown> {
  readonly #inside: Inside<T>
  static {
    insideOf = (stream) => stream.#inside
  }
  constructor(source: Source<T> = {}, strategy: Strategy<T> = {}) {
    this.#inside = new Inside(source, strategy)
  }
  static from<T>(items: Iterable<T> | AsyncIterable<T>): ReadableStream<T> {
    const from = items as { [Symbol.asyncIterator]?: () => AsyncIterator<T> } & Iterable<T>
    const iterator = from[Symbol.asyncIterator]?.() ?? from[Symbol.iterator]()
    const source: Source<T> = {
      async pull(controller) {
        const { value, done } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue((await value) as T)
      },
      cancel: (reason) => iterator.return?.(reason),
    }
    return new ReadableStream<T>(source, { highWaterMark: 0 })
  }
  get [Symbol.toStringTag]() {
    return 'ReadableStream'
  }
  get locked(): boolean {
    return this.#inside.reader !== null
  }
  getReader({ mode }: { mode?: string } = {}): ReadableStreamDefaultReader<T> {
    if (mode !== undefined) throw new TypeError('There are no byte readers here: getReader() reads any stream.')
    return new ReadableStreamDefaultReader(this)
  }
  async cancel(reason?: unknown): Promise<void> {
    if (this.locked) throw new TypeError('The stream is locked.')
    return this.#inside.cancel(reason)
  }
  async pipeTo(sink: WritableStream<T>, options: PipeOptions = {}): Promise<void> {
    if (this.locked || sink.locked) throw new TypeError('The stream is locked.')
    const cancel = (reason: unknown) => this.#inside.cancel(reason)
    await pipe({ reader: this.getReader(), writer: sink.getWriter(), cancel }, options)
  }
  pipeThrough<U>(
    pair: { readable: ReadableStream<U>; writable: WritableStream<T> },
    options: PipeOptions = {},
  ): ReadableStream<U> {
    if (this.locked || pair.writable.locked) throw new TypeError('The stream is locked.')
    this.pipeTo(pair.writable, options).catch(() => {})
    return pair.readable
  }
  tee(): [ReadableStream<T>, ReadableStream<T>] {
    return tee(this)
  }
  async *values({ preventCancel = false } = {}): AsyncGenerator<T> {
    const reader = this.getReader()
    try {
      for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value as T
    } finally {
      if (!preventCancel) await reader.cancel().catch(() => {})
      reader.releaseLock()
    }
  }
  [Symbol.asyncIterator](): AsyncGenerator<T> {
    return this.values()
  }
}

export class ReadableStreamDefaultReader<T = unknown> {
  #inside: Inside<T> | null
  #closed = Promise.withResolvers<undefined>()
  constructor(stream: ReadableStream<T>) {
    if (stream.locked) throw new TypeError('The stream is locked.')
    const inside = insideOf(stream)
    this.#inside = inside
    this.#closed.promise.catch(() => {})
    inside.reader = {
      finish: (failure) => (failure ? this.#closed.reject(failure.reason) : this.#closed.resolve(undefined)),
    }
    if (inside.state === 'closed') inside.reader.finish(null)
    if (inside.state === 'failed') inside.reader.finish(inside)
  }
  get [Symbol.toStringTag]() {
    return 'ReadableStreamDefaultReader'
  }
  get closed(): Promise<undefined> {
    return this.#closed.promise
  }
  read(): Promise<Step<T>> {
    return this.#inside?.read() ?? Promise.reject(released())
  }
  cancel(reason?: unknown): Promise<void> {
    return this.#inside?.cancel(reason) ?? Promise.reject(released())
  }
  releaseLock(): void {
    if (!this.#inside) return
    for (const reading of this.#inside.reading.splice(0)) reading.reject(released())
    this.#inside.reader = null
    this.#inside = null
    this.#closed.reject(released())
    this.#closed = Promise.withResolvers()
    this.#closed.promise.catch(() => {})
    this.#closed.reject(released())
  }
}

const released = () => new TypeError('The reader has been released.')

/** Two of one: each gets every chunk, and both have to be cancelled for the source to hear of it. */
function tee<T>(stream: ReadableStream<T>): [ReadableStream<T>, ReadableStream<T>] {
  const reader = stream.getReader()
  const sides: Controller<T>[] = []
  const gone = new Map<number, unknown>()
  const cancelled = Promise.withResolvers<void>()
  let isReading = false
  const open = () => sides.filter((_, index) => !gone.has(index))
  const pull = async () => {
    if (isReading) return
    isReading = true
    const { value, done } = await reader.read()
    isReading = false
    for (const side of open()) done ? side.close() : side.enqueue(value as T)
  }
  const side = (index: number) =>
    new ReadableStream<T>({
      start: (controller) => void sides.push(controller),
      pull: () => pull().catch(() => {}),
      cancel: (reason) => {
        gone.set(index, reason)
        if (gone.size === 2) cancelled.resolve(reader.cancel([gone.get(0), gone.get(1)]))
        return cancelled.promise
      },
    })
  const both: [ReadableStream<T>, ReadableStream<T>] = [side(0), side(1)]
  reader.closed.catch((reason) => {
    for (const one of sides) one.error(reason)
  })
  return both
}
