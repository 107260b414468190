/**
 * Streams as far as programs of this kind need them: default readers and writers, back pressure by a count of chunks,
 * pipes and transforms. No byte readers and no strategies by size.
 */

type Step<T> = { value: T | undefined; done: boolean }
type Source<T> = {
  start?: (controller: Controller<T>) => unknown
  pull?: (controller: Controller<T>) => unknown
  cancel?: (reason: unknown) => unknown
  type?: string
}
type Strategy = { highWaterMark?: number }
type Controller<T> = {
  readonly desiredSize: number | null
  enqueue: (chunk: T) => void
  close: () => void
  error: (reason: unknown) => void
}
type Reading<T> = { resolve: (step: Step<T>) => void; reject: (reason: unknown) => void }

// The web's own classes.
export class ReadableStream<T = unknown> {
  #queue: T[] = []
  #reading: Reading<T>[] = []
  #state: 'open' | 'closing' | 'closed' | 'failed' = 'open'
  #reason: unknown
  #isPulling = false
  #started: Promise<unknown>
  #room: number
  #source: Source<T>
  #controller: Controller<T>
  readonly finished = Promise.withResolvers<undefined>()
  reader: ReadableStreamDefaultReader<T> | null = null

  constructor(source: Source<T> = {}, { highWaterMark = 1 }: Strategy = {}) {
    this.#source = source
    this.#room = highWaterMark
    this.#controller = this.#createController()
    this.finished.promise.catch(() => {})
    Object.defineProperties(this, { finished: { enumerable: false }, reader: { enumerable: false } })
    this.#started = Promise.resolve(source.start?.(this.#controller))
    this.#started.then(
      () => this.#pull(),
      (reason) => this.#fail(reason),
    )
  }

  static from<T>(items: Iterable<T> | AsyncIterable<T>): ReadableStream<T> {
    const from = items as { [Symbol.asyncIterator]?: () => AsyncIterator<T> } & Iterable<T>
    const iterator = from[Symbol.asyncIterator]?.() ?? from[Symbol.iterator]()
    return new ReadableStream<T>({
      async pull(controller) {
        const { value, done } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(value as T)
      },
      cancel: (reason) => iterator.return?.(reason),
    })
  }

  #createController(): Controller<T> {
    const desired = () =>
      this.#state === 'open' ? this.#room - this.#queue.length : this.#state === 'failed' ? null : 0
    return {
      get desiredSize() {
        return desired()
      },
      enqueue: (chunk) => {
        if (this.#state !== 'open') throw new TypeError('The stream is closed.')
        const reading = this.#reading.shift()
        if (reading) reading.resolve({ value: chunk, done: false })
        else this.#queue.push(chunk)
        this.#pull()
      },
      close: () => {
        if (this.#state !== 'open') throw new TypeError('The stream is closed.')
        this.#state = 'closing'
        if (this.#queue.length === 0) this.#close()
      },
      error: (reason) => this.#fail(reason),
    }
  }

  #pull(): void {
    const wants = this.#reading.length > 0 || this.#queue.length < this.#room
    if (!this.#source.pull || this.#isPulling || this.#state !== 'open' || !wants) return
    this.#isPulling = true
    this.#started
      .then(() => this.#source.pull?.(this.#controller))
      .then(
        () => {
          this.#isPulling = false
          this.#pull()
        },
        (reason) => this.#fail(reason),
      )
  }

  #close(): void {
    this.#state = 'closed'
    for (const reading of this.#reading.splice(0)) reading.resolve({ value: undefined, done: true })
    this.finished.resolve(undefined)
  }

  #fail(reason: unknown): void {
    if (this.#state === 'closed' || this.#state === 'failed') return
    this.#state = 'failed'
    this.#reason = reason
    this.#queue = []
    for (const reading of this.#reading.splice(0)) reading.reject(reason)
    this.finished.reject(reason)
  }

  get locked(): boolean {
    return this.reader !== null
  }

  read(): Promise<Step<T>> {
    if (this.#queue.length > 0) {
      const value = this.#queue.shift()
      if (this.#state === 'closing' && this.#queue.length === 0) this.#close()
      this.#pull()
      return Promise.resolve({ value, done: false })
    }
    if (this.#state === 'failed') return Promise.reject(this.#reason)
    if (this.#state === 'closed') return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => {
      this.#reading.push({ resolve, reject })
      this.#pull()
    })
  }

  async abandon(reason?: unknown): Promise<void> {
    if (this.#state === 'failed') throw this.#reason
    if (this.#state === 'closed') return
    this.#queue = []
    this.#close()
    await this.#source.cancel?.(reason)
  }

  getReader(): ReadableStreamDefaultReader<T> {
    return new ReadableStreamDefaultReader(this)
  }

  cancel(reason?: unknown): Promise<void> {
    return this.locked ? Promise.reject(new TypeError('The stream is locked.')) : this.abandon(reason)
  }

  async pipeTo(sink: WritableStream<T>, options: { preventClose?: boolean } = {}): Promise<void> {
    const [reader, writer] = [this.getReader(), sink.getWriter()]
    try {
      for (let step = await reader.read(); !step.done; step = await reader.read()) await writer.write(step.value as T)
      if (!options.preventClose) await writer.close()
    } catch (error) {
      await Promise.allSettled([reader.cancel(error), writer.abort(error)])
      throw error
    } finally {
      reader.releaseLock()
      writer.releaseLock()
    }
  }

  pipeThrough<U>(pair: { readable: ReadableStream<U>; writable: WritableStream<T> }): ReadableStream<U> {
    this.pipeTo(pair.writable).catch(() => {})
    return pair.readable
  }

  tee(): [ReadableStream<T>, ReadableStream<T>] {
    const reader = this.getReader()
    const sides: Controller<T>[] = []
    const pull = async () => {
      try {
        const { value, done } = await reader.read()
        for (const side of sides) done ? side.close() : side.enqueue(value as T)
      } catch (error) {
        for (const side of sides) side.error(error)
      }
    }
    const side = () => new ReadableStream<T>({ start: (controller) => void sides.push(controller), pull })
    return [side(), side()]
  }

  async *values(): AsyncGenerator<T> {
    const reader = this.getReader()
    try {
      for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value as T
    } finally {
      await reader.cancel().catch(() => {})
      reader.releaseLock()
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<T> {
    return this.values()
  }
}

export class ReadableStreamDefaultReader<T = unknown> {
  #stream: ReadableStream<T> | null
  readonly closed: Promise<undefined>
  constructor(stream: ReadableStream<T>) {
    if (stream.locked) throw new TypeError('The stream is locked.')
    this.#stream = stream
    this.closed = stream.finished.promise
    stream.reader = this
  }
  read(): Promise<Step<T>> {
    return this.#stream?.read() ?? Promise.reject(new TypeError('The reader has been released.'))
  }
  cancel(reason?: unknown): Promise<void> {
    return this.#stream?.abandon(reason) ?? Promise.resolve()
  }
  releaseLock(): void {
    if (this.#stream) this.#stream.reader = null
    this.#stream = null
  }
}

type Sink<T> = {
  start?: (controller: { error: (reason: unknown) => void }) => unknown
  write?: (chunk: T) => unknown
  close?: () => unknown
  abort?: (reason: unknown) => unknown
}

export class WritableStream<T = unknown> {
  #tail: Promise<unknown>
  #sink: Sink<T>
  #failure: { reason: unknown } | null = null
  locked = false
  constructor(sink: Sink<T> = {}) {
    this.#sink = sink
    const error = (reason: unknown) => {
      this.#failure ??= { reason }
    }
    this.#tail = Promise.resolve(sink.start?.({ error }))
  }
  #then(work: () => unknown): Promise<void> {
    const done = this.#tail.then(async () => {
      if (this.#failure) throw this.#failure.reason
      await work()
    })
    this.#tail = done.catch((reason) => {
      this.#failure ??= { reason }
    })
    return done
  }
  put(chunk: T): Promise<void> {
    return this.#then(() => this.#sink.write?.(chunk))
  }
  close(): Promise<void> {
    return this.#then(async () => {
      await this.#sink.close?.()
      this.#failure = { reason: new TypeError('The stream is closed.') }
    })
  }
  async abort(reason?: unknown): Promise<void> {
    if (this.#failure) return
    this.#failure = { reason }
    await this.#sink.abort?.(reason)
  }
  getWriter(): WritableStreamDefaultWriter<T> {
    if (this.locked) throw new TypeError('The stream is locked.')
    this.locked = true
    return new WritableStreamDefaultWriter(this)
  }
}

export class WritableStreamDefaultWriter<T = unknown> {
  #stream: WritableStream<T>
  readonly ready = Promise.resolve()
  readonly desiredSize = 1
  #closed = Promise.withResolvers<void>()
  constructor(stream: WritableStream<T>) {
    this.#stream = stream
  }
  get closed(): Promise<void> {
    return this.#closed.promise
  }
  write(chunk: T): Promise<void> {
    return this.#stream.put(chunk)
  }
  async close(): Promise<void> {
    await this.#stream.close()
    this.#closed.resolve()
  }
  abort(reason?: unknown): Promise<void> {
    return this.#stream.abort(reason)
  }
  releaseLock(): void {
    this.#stream.locked = false
  }
}
