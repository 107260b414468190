import { bytesOf, decodeText, encodeText } from './bytes.ts'
import { scope } from './scope.ts'
import { ReadableStream } from './streams.ts'

type Options = { type?: string }

/** The bytes of a blob, which are not to be changed. */
export let bytesOfBlob: (blob: Blob) => Uint8Array<ArrayBuffer>

const typeOf = (type: unknown) => (/^[ -~]*$/.test(String(type)) ? String(type).toLowerCase() : '')

// The web's own classes.
export class Blob {
  #bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  static {
    bytesOfBlob = (blob) => blob.#bytes
  }
  constructor(parts: Iterable<unknown> = [], { type = '' }: Options = {}) {
    if (typeof parts !== 'object') throw new TypeError('The parts must be a list.')
    const pieces = [...parts].map((part) =>
      part instanceof Blob ? part.#bytes : (bytesOf(part) ?? encodeText(scope().call, String(part))),
    )
    this.#bytes = joined(pieces)
    this.type = typeOf(type)
  }
  get [Symbol.toStringTag]() {
    return 'Blob'
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
    return ReadableStream.from<Uint8Array>(this.size > 0 ? [this.#bytes.slice()] : [])
  }
}

export class File extends Blob {
  readonly name: string
  readonly lastModified: number
  constructor(...given: [parts: Iterable<unknown>, name: string, options?: Options & { lastModified?: number }]) {
    if (given.length < 2) throw new TypeError('A file needs its parts and a name.')
    const [parts, name, { lastModified = Date.now(), ...options } = {}] = given
    super(parts, options)
    this.name = String(name)
    this.lastModified = Number(lastModified)
  }
  override get [Symbol.toStringTag]() {
    return 'File'
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
