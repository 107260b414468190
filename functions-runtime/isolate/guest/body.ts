import { Blob, bytesOfBlob, joined } from './blob.ts'
import { bytesOf, decodeText, encodeText } from './bytes.ts'
import { decodeForm, encodeForm, FormData } from './form.ts'
import { scope } from './scope.ts'
import { insideOf, ReadableStream } from './streams.ts'
import { URLSearchParams } from './url.ts'

/** What a body was made of. Text stays text until somebody wants bytes. */
export type Source = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null

type Made = { source: Source; type: string | null }

export function madeOf(init: unknown): Made {
  if (init === null || init === undefined) return { source: null, type: null }
  if (init instanceof ReadableStream) {
    if (init.locked || insideOf(init).isDisturbed) throw new TypeError('The stream is locked, or was read already.')
    return { source: init as ReadableStream<Uint8Array>, type: null }
  }
  if (init instanceof Blob) return { source: bytesOfBlob(init).slice(), type: init.type || null }
  if (init instanceof URLSearchParams) {
    return { source: init.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  }
  if (init instanceof FormData) return encodeForm(init)
  const bytes = bytesOf(init)
  return bytes ? { source: bytes.slice(), type: null } : { source: String(init), type: 'text/plain;charset=UTF-8' }
}

// The web's own class, which Request and Response share.
export class Body {
  #source: Source
  #isUsed = false
  constructor(source: Source) {
    this.#source = source
  }
  get bodyUsed(): boolean {
    return this.#isUsed || (this.#source instanceof ReadableStream && insideOf(this.#source).isDisturbed)
  }
  get body(): ReadableStream<Uint8Array> | null {
    if (this.#source === null || this.#source instanceof ReadableStream) return this.#source
    const source = this.#source
    const bytes = typeof source === 'string' ? encodeText(scope().call, source) : source
    const stream = ReadableStream.from<Uint8Array>(bytes.length > 0 ? [bytes] : [])
    if (this.#isUsed) void stream.cancel()
    this.#source = stream
    return stream
  }
  /** Takes what it is made of, for the one who may read it; text as text. */
  take(): Source {
    if (this.bodyUsed) throw new TypeError('The body has already been read.')
    this.#isUsed = this.#source !== null
    return this.#source
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const source = this.take()
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
    if (typeof this.#source === 'string') return withoutMark(String(this.take()))
    return decodeText(scope().call, await this.bytes())
  }
  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }
  async blob(): Promise<Blob> {
    return new Blob([await this.bytes()], { type: this.contentType() })
  }
  async formData(): Promise<FormData> {
    const type = this.contentType()
    return decodeForm(await this.bytes(), type)
  }
  /** Said by who has headers. */
  contentType(): string {
    return ''
  }
  /** Two of what can be read once. */
  split(): Source {
    if (this.bodyUsed) throw new TypeError('The body has already been read.')
    if (!(this.#source instanceof ReadableStream)) return this.#source
    const [one, two] = this.#source.tee()
    this.#source = one
    return two
  }
}

/** Text that was bytes may begin with a mark of their order, which is none of it. */
export const withoutMark = (text: string) => (text.startsWith('\ufeff') ? text.slice(1) : text)
