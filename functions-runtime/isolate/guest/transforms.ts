import type { Controller, Strategy } from './readable.ts'
import { insideOf as insideOfReadable, ReadableStream } from './streams.ts'
import { TextDecoder, TextEncoder } from './text.ts'
import { insideOf as insideOfWritable, WritableStream } from './writable.ts'

type Out<T> = {
  readonly desiredSize: number | null
  enqueue: (chunk: T) => void
  error: (reason: unknown) => void
  terminate: () => void
}
type Transformer<I, O> = {
  start?: (controller: Out<O>) => unknown
  transform?: (chunk: I, controller: Out<O>) => unknown
  flush?: (controller: Out<O>) => unknown
  cancel?: (reason: unknown) => unknown
}

/** Waits until somebody reads, or nobody will. */
export let roomOf: <I, O>(stream: TransformStream<I, O>) => Promise<void>

// The web's own classes.
export class TransformStream<I = unknown, O = unknown> {
  readonly #room: () => Promise<void>
  static {
    roomOf = (stream) => stream.#room()
  }
  readonly #readable: ReadableStream<O>
  readonly #writable: WritableStream<I>
  constructor(
    transformer: Transformer<I, O> = {},
    writing: Strategy<I> = {},
    { highWaterMark = 0, ...reading }: Strategy<O> = {},
  ) {
    const begun = Promise.withResolvers<unknown>()
    let room = Promise.withResolvers<void>()
    let hasRoom = false
    this.#room = () => room.promise
    let to = null as unknown as Controller<O>
    this.#readable = new ReadableStream<O>(
      {
        start: (controller) => {
          to = controller
          return begun.promise
        },
        pull: () => free(),
        cancel: async (reason) => {
          stop(reason)
          await transformer.cancel?.(reason)
        },
      },
      { highWaterMark, ...reading },
    )
    const output = insideOfReadable(this.#readable)
    const out: Out<O> = {
      get desiredSize() {
        return to.desiredSize
      },
      enqueue: (chunk) => {
        try {
          to.enqueue(chunk)
        } catch (error) {
          stop(error)
          throw error
        }
        // Nothing more is transformed before somebody reads: what is written does not pile up.
        if (!hasRoom || output.wants()) return
        hasRoom = false
        room = Promise.withResolvers()
      },
      error: (reason) => {
        to.error(reason)
        stop(reason)
      },
      terminate: () => {
        if (output.state === 'open' && !output.isClosing) to.close()
        stop(new TypeError('The stream is closed.'))
      },
    }
    const guarded = (work: () => unknown) =>
      (async () => work())().catch((error) => {
        out.error(error)
        throw error
      })
    const sink = {
      start: () => begun.promise,
      write: async (chunk: I) => {
        await room.promise
        if (input.state === 'failed') throw input.reason
        const { transform } = transformer
        await guarded(() => (transform ? transform.call(transformer, chunk, out) : out.enqueue(chunk as unknown as O)))
      },
      close: async () => {
        await guarded(() => transformer.flush?.(out))
        if (output.state === 'failed') throw output.reason
        if (output.state === 'open' && !output.isClosing) to.close()
      },
      abort: async (reason: unknown) => {
        await transformer.cancel?.(reason)
        to.error(reason)
      },
    }
    this.#writable = new WritableStream<I>(sink, writing)
    const input = insideOfWritable(this.#writable)
    /** Nothing more can be written; whoever waits for room waits for nothing. */
    const stop = (reason: unknown) => {
      input.fail(reason)
      free()
    }
    const free = () => {
      hasRoom = true
      room.resolve()
    }
    begun.promise.catch(() => {})
    begun.resolve(transformer.start?.(out))
  }
  get readable(): ReadableStream<O> {
    return this.#readable
  }
  get writable(): WritableStream<I> {
    return this.#writable
  }
  get [Symbol.toStringTag]() {
    return 'TransformStream'
  }
}

export class TextEncoderStream extends TransformStream<string, Uint8Array> {
  readonly encoding = 'utf-8'
  constructor() {
    const encoder = new TextEncoder()
    // The first half of a character whose second half is in the next chunk.
    let half = ''
    const give = (text: string, out: Out<Uint8Array>) => {
      if (text) out.enqueue(encoder.encode(text))
    }
    super({
      transform(chunk, out) {
        const text = half + String(chunk)
        half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? ''
        give(text.slice(0, text.length - half.length), out)
      },
      flush: (out) => give(half, out),
    })
  }
}

export class TextDecoderStream extends TransformStream<Uint8Array, string> {
  readonly encoding: string
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  constructor(encoding = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const decoder = new TextDecoder(encoding, options)
    super({
      transform: (bytes, out) => {
        const text = decoder.decode(bytes, { stream: true })
        if (text) out.enqueue(text)
      },
      flush: (out) => {
        const rest = decoder.decode()
        if (rest) out.enqueue(rest)
      },
    })
    this.encoding = decoder.encoding
    this.fatal = decoder.fatal
    this.ignoreBOM = decoder.ignoreBOM
  }
}

/** How much a stream takes before it is asked: so many chunks, or so many bytes. */
class QueuingStrategy {
  readonly highWaterMark: number
  constructor({ highWaterMark }: { highWaterMark: number }) {
    this.highWaterMark = Number(highWaterMark)
  }
}
export class CountQueuingStrategy extends QueuingStrategy {
  get size() {
    return () => 1
  }
}
export class ByteLengthQueuingStrategy extends QueuingStrategy {
  get size() {
    return (chunk: { byteLength: number }) => chunk.byteLength
  }
}
