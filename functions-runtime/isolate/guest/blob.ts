import { bytesOf, decodeText, encodeText } from './bytes.ts'
import { scope } from './scope.ts'
import { ReadableStream } from './streams.ts'

// The web's own classes.
export class Blob {
  #bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  constructor(parts: Iterable<unknown> = [], { type = '' }: { type?: string } = {}) {
    const pieces = [...parts].map((part) =>
      part instanceof Blob ? part.#bytes : (bytesOf(part) ?? encodeText(scope().call, String(part))),
    )
    this.#bytes = joined(pieces)
    this.type = String(type).toLowerCase()
  }
  get size(): number {
    return this.#bytes.length
  }
  slice(start = 0, end = this.size, type = ''): Blob {
    return new Blob([this.#bytes.slice(start, end)], { type })
  }
  async text(): Promise<string> {
    return decodeText(scope().call, this.#bytes)
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes.slice()
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer
  }
  stream(): ReadableStream<Uint8Array> {
    return ReadableStream.from<Uint8Array>([this.#bytes.slice()])
  }
}

export class File extends Blob {
  readonly name: string
  readonly lastModified = Date.now()
  constructor(parts: Iterable<unknown>, name: string, options: { type?: string } = {}) {
    super(parts, options)
    this.name = String(name)
  }
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
