import { ReadableStream, WritableStream } from './streams.ts'
import { TextDecoder, TextEncoder } from './text.ts'

type Out<T> = { enqueue: (chunk: T) => void; error: (reason: unknown) => void; terminate: () => void }
type Transformer<I, O> = {
  start?: (controller: Out<O>) => unknown
  transform?: (chunk: I, controller: Out<O>) => unknown
  flush?: (controller: Out<O>) => unknown
}

// The web's own classes.
export class TransformStream<I = unknown, O = unknown> {
  readonly readable: ReadableStream<O>
  readonly writable: WritableStream<I>
  constructor(transformer: Transformer<I, O> = {}) {
    let room = Promise.withResolvers<void>()
    let out: (Out<O> & { close: () => void }) | undefined
    this.readable = new ReadableStream<O>({
      start: (controller) => {
        out = { ...controller, enqueue: controller.enqueue, terminate: controller.close }
        return transformer.start?.(out)
      },
      pull: () => room.resolve(),
      cancel: () => room.resolve(),
    })
    const to = () => out as NonNullable<typeof out>
    this.writable = new WritableStream<I>({
      write: async (chunk) => {
        // Waits until somebody reads: what is written does not pile up.
        await room.promise
        room = Promise.withResolvers()
        if (transformer.transform) await transformer.transform(chunk, to())
        else to().enqueue(chunk as unknown as O)
      },
      close: async () => {
        await transformer.flush?.(to())
        to().close()
      },
      abort: (reason) => to().error(reason),
    })
  }
}

export class TextEncoderStream extends TransformStream<string, Uint8Array> {
  readonly encoding = 'utf-8'
  constructor() {
    const encoder = new TextEncoder()
    super({ transform: (text, out) => out.enqueue(encoder.encode(text)) })
  }
}

export class TextDecoderStream extends TransformStream<Uint8Array, string> {
  constructor(encoding = 'utf-8', options: { fatal?: boolean } = {}) {
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
  }
}
