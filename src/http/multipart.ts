import { Invalid, LimitExceeded } from '../errors.ts'

/** A part of a multipart/form-data body. Its bytes are read before the next part is asked for. */
export type Part = { name: string; file: string | null; type: string; bytes: AsyncIterable<Buffer> }

const headBytes = 4_096

/** The boundary that a content type names, or null where it is no multipart/form-data, or names none. */
export function boundaryOf(contentType: string): string | null {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([\w'()+,./:=?-]{1,70}))\s*(?:;|$)/i.exec(
      contentType,
    ) ?? []
  return quoted ?? plain ?? null
}

/**
 * The parts of a body, in turn, as they come: no more than a chunk and a boundary are in memory. What is left of a part that
 * was not read to its end is skipped. Throws Invalid for what is no such body, and where it ends early.
 */
export async function* readParts(body: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const source = createSource(body)
  // The first boundary has no line before it.
  source.unread(Buffer.from('\r\n'))
  const mark = Buffer.from(`\r\n--${boundary}`)
  for await (const before of source.until(mark))
    if (before.length > 0) throw broken('it does not begin with its boundary')
  for (;;) {
    const end = await source.take(2)
    if (end.toString('latin1') === '--') return
    if (end.toString('latin1') !== '\r\n') throw broken('a boundary is followed by something else')
    const bytes = source.until(mark)
    yield { ...readHead(await source.line()), bytes }
    for await (const _rest of bytes);
  }
}

function broken(reason: string): Invalid {
  return new Invalid(`The multipart body is broken: ${reason}.`)
}

type Source = {
  unread: (bytes: Buffer) => void
  take: (count: number) => Promise<Buffer>
  /** The lines up to an empty one. */
  line: () => Promise<string>
  /** The bytes up to a mark, which is passed over. It can be gone through again: then it goes on. */
  until: (mark: Buffer) => AsyncIterable<Buffer>
}

function createSource(body: AsyncIterable<Buffer>): Source {
  const chunks = body[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  const more = async () => {
    const { done, value } = await chunks.next()
    if (done) throw broken('it ends early')
    held = held.length === 0 ? value : Buffer.concat([held, value])
  }
  const take = async (count: number) => {
    while (held.length < count) await more()
    const taken = held.subarray(0, count)
    held = held.subarray(count)
    return taken
  }
  const line = async () => {
    for (;;) {
      const at = held.indexOf('\r\n\r\n')
      if (at >= 0) return (await take(at + 4)).toString('utf8', 0, at)
      if (held.length > headBytes) throw new LimitExceeded(`The head of a part has at most ${headBytes} bytes.`)
      await more()
    }
  }
  const until = (mark: Buffer) => {
    let ended = false
    async function* read(): AsyncGenerator<Buffer> {
      while (!ended) {
        const at = held.indexOf(mark)
        // What may be the beginning of the mark is kept back.
        const ready = at < 0 ? Math.max(0, held.length - mark.length + 1) : at
        const bytes = await take(ready)
        if (at >= 0) {
          await take(mark.length)
          ended = true
        }
        if (bytes.length > 0) yield bytes
        if (!ended) await more()
      }
    }
    return { [Symbol.asyncIterator]: read }
  }
  return { unread: (bytes) => (held = Buffer.concat([bytes, held])), take, line, until }
}

function readHead(text: string): Omit<Part, 'bytes'> {
  const headers = new Map(
    text.split('\r\n').map((line) => {
      const at = line.indexOf(':')
      if (at < 1) throw broken('a header of a part has no name')
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  const disposition = headers.get('content-disposition') ?? ''
  const name = /^form-data;.*?\bname="([^"]*)"/i.exec(disposition)?.[1]
  if (name === undefined) throw broken('a part has no name')
  const file = /;\s*filename="([^"]*)"/i.exec(disposition)?.[1] ?? null
  return { name, file, type: headers.get('content-type') ?? 'application/octet-stream' }
}
