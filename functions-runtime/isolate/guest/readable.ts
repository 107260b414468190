export type Step<T> = { value: T | undefined; done: boolean }
export type Source<T> = {
  start?: (controller: Controller<T>) => unknown
  pull?: (controller: Controller<T>) => unknown
  cancel?: (reason: unknown) => unknown
  type?: string
}
export type Strategy<T> = { highWaterMark?: number; size?: (chunk: T) => number }
export type Controller<T> = {
  readonly desiredSize: number | null
  readonly byobRequest: null
  enqueue: (chunk: T) => void
  close: () => void
  error: (reason: unknown) => void
}
type Reading<T> = { resolve: (step: Step<T>) => void; reject: (reason: unknown) => void }

/** What a stream is inside. Its reader, pipes and transforms reach it by this; programs do not. */
export class Inside<T> {
  readonly queue: { chunk: T; size: number }[] = []
  reading: Reading<T>[] = []
  state: 'open' | 'closed' | 'failed' = 'open'
  reason: unknown
  reader: { finish: (failure: { reason: unknown } | null) => void } | null = null
  isDisturbed = false
  isClosing = false
  #isStarted = false
  #isPulling = false
  #pullAgain = false
  #total = 0
  readonly #room: number
  readonly #size: (chunk: T) => number
  readonly #source: Source<T>
  readonly #controller: Controller<T>

  constructor(source: Source<T>, { highWaterMark, size = () => 1 }: Strategy<T>) {
    this.#source = source
    this.#room = highWaterMark ?? (source.type === 'bytes' ? 0 : 1)
    this.#size = size
    this.#controller = createController(this)
    Promise.resolve(source.start?.(this.#controller)).then(
      () => {
        this.#isStarted = true
        this.pull()
      },
      (reason) => this.fail(reason),
    )
  }
  desiredSize(): number | null {
    if (this.state === 'open') return this.#room - this.#total
    return this.state === 'failed' ? null : 0
  }
  /** Whether somebody has use for another chunk. */
  wants(): boolean {
    if (this.state !== 'open' || this.isClosing || !this.#isStarted) return false
    return this.reading.length > 0 || this.#room > this.#total
  }
  /** Asks the source once; again only when it has given something, or somebody asks for more. */
  pull(): void {
    if (!this.#source.pull || !this.wants()) return
    if (this.#isPulling) {
      this.#pullAgain = true
      return
    }
    this.#isPulling = true
    const pulled = async () => this.#source.pull?.(this.#controller)
    pulled().then(
      () => {
        this.#isPulling = false
        const again = this.#pullAgain
        this.#pullAgain = false
        if (again) this.pull()
      },
      (reason) => this.fail(reason),
    )
  }
  enqueue(chunk: T): void {
    if (this.state !== 'open' || this.isClosing) throw new TypeError('The stream is closed.')
    const reading = this.reading.shift()
    if (reading) reading.resolve({ value: chunk, done: false })
    else this.#keep(chunk)
    this.pull()
  }
  #keep(chunk: T): void {
    try {
      const size = Number(this.#size(chunk))
      if (!(size >= 0) || size === Number.POSITIVE_INFINITY) throw new RangeError('The size of a chunk is no number.')
      this.queue.push({ chunk, size })
      this.#total += size
    } catch (error) {
      this.fail(error)
      throw error
    }
  }
  end(): void {
    if (this.state !== 'open' || this.isClosing) throw new TypeError('The stream is closed.')
    this.isClosing = true
    if (this.queue.length === 0) this.#close()
  }
  #close(): void {
    this.state = 'closed'
    for (const reading of this.reading.splice(0)) reading.resolve({ value: undefined, done: true })
    this.reader?.finish(null)
  }
  fail(reason: unknown): void {
    if (this.state !== 'open') return
    this.state = 'failed'
    this.reason = reason
    this.#empty()
    for (const reading of this.reading.splice(0)) reading.reject(reason)
    this.reader?.finish({ reason })
  }
  #empty(): void {
    this.queue.length = 0
    this.#total = 0
  }
  read(): Promise<Step<T>> {
    this.isDisturbed = true
    const next = this.queue.shift()
    if (next) {
      this.#total -= next.size
      if (this.isClosing && this.queue.length === 0) this.#close()
      else this.pull()
      return Promise.resolve({ value: next.chunk, done: false })
    }
    if (this.state === 'failed') return Promise.reject(this.reason)
    if (this.state === 'closed') return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => {
      this.reading.push({ resolve, reject })
      this.pull()
    })
  }
  async cancel(reason?: unknown): Promise<void> {
    this.isDisturbed = true
    if (this.state === 'failed') throw this.reason
    if (this.state === 'closed') return
    this.#empty()
    this.#close()
    await this.#source.cancel?.(reason)
  }
}

function createController<T>(inside: Inside<T>): Controller<T> {
  return {
    get desiredSize() {
      return inside.desiredSize()
    },
    byobRequest: null,
    enqueue: (chunk) => inside.enqueue(chunk),
    close: () => inside.end(),
    error: (reason) => inside.fail(reason),
  }
}
