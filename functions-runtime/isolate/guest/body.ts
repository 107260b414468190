import { Blob, joined } from './blob.ts'
import { bytesOf, decodeText, encodeText } from './bytes.ts'
import { decodeForm, encodeForm, FormData } from './form.ts'
import { scope } from './scope.ts'
import { ReadableStream } from './streams.ts'
import { URLSearchParams } from './url.ts'

/** What a body was made of. Text stays text until somebody wants bytes. */
export type Source = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null

type Made = { source: Source | Promise<{ blob: Blob; type: string }>; type: string | null }

export function madeOf(init: unknown): Made {
  if (init === null || init === undefined) return { source: null, type: null }
  if (typeof init === 'string') return { source: init, type: 'text/plain;charset=UTF-8' }
  if (init instanceof ReadableStream) return { source: init as ReadableStream<Uint8Array>, type: null }
  if (init instanceof Blob) return { source: ReadableStream.from(blobPieces(init)), type: init.type || null }
  if (init instanceof URLSearchParams) {
    return { source: init.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  }
  if (init instanceof FormData) return { source: encodeForm(init), type: null }
  return { source: bytesOf(init)?.slice() ?? String(init), type: null }
}

async function* blobPieces(blob: Blob): AsyncGenerator<Uint8Array> {
  yield await blob.bytes()
}

// The web's own class, which Request and Response share.
export class Body {
  #source: Source | Promise<{ blob: Blob; type: string }>
  #stream: ReadableStream<Uint8Array> | null = null
  #isUsed = false
  constructor(source: Made['source']) {
    this.#source = source
  }
  get bodyUsed(): boolean {
    return this.#isUsed
  }
  get body(): ReadableStream<Uint8Array> | null {
    if (this.#source === null) return null
    if (this.#source instanceof ReadableStream) return this.#source
    if (!this.#stream) {
      const bytes = this.bytes()
      this.#isUsed = false
      this.#stream = ReadableStream.from(oneOf(bytes))
      this.#source = this.#stream
    }
    return this.#stream
  }
  /** Takes what it is made of, for the one who may read it; text as text. */
  async take(): Promise<Source> {
    if (this.#isUsed) throw new TypeError('The body has already been read.')
    this.#isUsed = this.#source !== null
    const source = await this.#source
    return source !== null && typeof source === 'object' && 'blob' in source ? source.blob.bytes() : source
  }
  /** The type that was not known before its bytes were: that of a form. */
  async formType(): Promise<string | null> {
    const source = await this.#source
    return source !== null && typeof source === 'object' && 'blob' in source ? source.type : null
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const source = await this.take()
    if (source === null) return new Uint8Array(0)
    if (typeof source === 'string') return encodeText(scope().call, source)
    if (source instanceof Uint8Array) return source
    const pieces: Uint8Array[] = []
    for await (const piece of source) pieces.push(bytesOf(piece) ?? encodeText(scope().call, String(piece)))
    return joined(pieces)
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer
  }
  async text(): Promise<string> {
    if (typeof this.#source === 'string') return String(await this.take())
    return decodeText(scope().call, await this.bytes())
  }
  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }
  async blob(): Promise<Blob> {
    return new Blob([await this.bytes()], { type: this.contentType() })
  }
  async formData(): Promise<FormData> {
    const type = (await this.formType()) ?? this.contentType()
    const bytes = await this.bytes()
    return decodeForm(bytes, () => decodeText(scope().call, bytes), type)
  }
  /** Said by who has headers. */
  contentType(): string {
    return ''
  }
  /** Two of what can be read once. */
  split(): Made['source'] {
    if (this.#isUsed) throw new TypeError('The body has already been read.')
    if (!(this.#source instanceof ReadableStream)) return this.#source
    const [one, two] = this.#source.tee()
    this.#source = one
    return two
  }
}

async function* oneOf(bytes: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await bytes
}
