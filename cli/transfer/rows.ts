import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { parse } from 'csv-parse'

export type Format = 'jsonl' | 'csv'

/** A file as it is sent: JSON Lines, from a row on. */
export type Rows = {
  body: AsyncIterable<Buffer | string>
  /** How many bytes of the file were read. */
  bytes: () => number
  /** The line of the file that a row is on, for rows that are still on their way. */
  lineOf: (row: number) => number
  /** Forgets rows up to this one. */
  forget: (row: number) => void
}

/** `done` rows are left out. */
export function openRows(path: string, format: Format, done: number): Rows {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 })
  const bytes = () => file.bytesRead
  if (format === 'csv') return csvRows(file, bytes, done)
  return { body: behind(file, done), bytes, lineOf: (row) => row, forget: () => {} }
}

/** What comes behind so many lines. */
async function* behind(file: AsyncIterable<Buffer>, lines: number): AsyncGenerator<Buffer> {
  let left = lines
  for await (const chunk of file) {
    let from = 0
    while (left > 0) {
      const at = chunk.indexOf(0x0a, from)
      if (at < 0) break
      from = at + 1
      left -= 1
    }
    if (left === 0) yield chunk.subarray(from)
  }
}

type Parsed = { record: Record<string, string | null>; info: { lines: number } }

const chunkLength = 65_536

/** The names of the columns: of two of one name the values of the first would be lost. */
function eachOnce(names: string[]): string[] {
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice === undefined) return names
  throw csvFault('CSV_COLUMN_TWICE', 1, `Two columns are called “${twice}”.`)
}

/** The file in whole characters. The parser would put � in the place of what is none, and it would be imported. */
async function* requireUtf8(file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let lines = 0
  let rest: Buffer = Buffer.alloc(0)
  const checked = (bytes: Buffer): Buffer => {
    const all = bytes.toString('latin1').split(/\r\n?|\n/)
    const wrong = isUtf8(bytes) ? -1 : all.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')))
    if (wrong >= 0)
      throw csvFault('CSV_NOT_UTF8', lines + wrong + 1, 'This is not UTF-8. Save the file in that encoding.')
    lines += all.length - 1
    return bytes
  }
  for await (const chunk of file) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    // Behind a letter of ASCII, where no character goes on: a line may be as long as the file. \r may be half the end of one.
    const end = bytes.findLastIndex((byte) => byte < 0x80 && byte !== 0x0d) + 1
    yield checked(bytes.subarray(0, end))
    rest = bytes.subarray(end)
  }
  yield checked(rest)
}

const csvFault = (code: string, lines: number, message: string) => Object.assign(new Error(message), { code, lines })

function csvRows(file: AsyncIterable<Buffer>, bytes: () => number, done: number): Rows {
  const parser = parse({
    columns: eachOnce,
    bom: true,
    info: true,
    skip_empty_lines: true,
    // Nothing is null; quotes around nothing are an empty text.
    cast: (value, { header, quoting }) => (header || quoting || value !== '' ? value : null),
  })
  // The numbers of rows whose answer is still to come, and the lines that they end on.
  const lines = new Map<number, number>()
  const lined = Readable.from(requireUtf8(file))
  lined.once('error', (error) => parser.destroy(error))
  async function* body() {
    let row = 0
    let text = ''
    for await (const { record, info } of lined.pipe(parser) as AsyncIterable<Parsed>) {
      row += 1
      if (row <= done) continue
      lines.set(row, info.lines)
      text += `${JSON.stringify(record)}\n`
      if (text.length < chunkLength) continue
      yield text
      text = ''
    }
    yield text
  }
  return {
    body: body(),
    bytes,
    lineOf: (row) => lines.get(row) ?? row,
    forget: (row) => {
      for (const known of lines.keys()) {
        if (known > row) return
        lines.delete(known)
      }
    },
  }
}
