import type { Line } from '../documents/import-rows.ts'
import { RowRefused } from '../documents/import-rows.ts'
import { AppError, Invalid, LimitExceeded } from '../errors.ts'
import { limits } from './limits.ts'
import { checkValue, parseJson } from './values.ts'

/**
 * The lines of a body of JSON Lines as they come, numbered from `first` on, without those up to `done`. It ends with the
 * first one that is no line. No more than one line is kept.
 */
export async function* readLines(
  body: AsyncIterable<Buffer>,
  first: number,
  done: number,
): AsyncGenerator<Line | RowRefused> {
  let row = first - 1
  for await (const bytes of splitLines(body)) {
    row += 1
    if (bytes === null) {
      return yield new RowRefused(row, new LimitExceeded(`A line may have ${limits.lineBytes} bytes.`))
    }
    // A blank line has a number, and nothing in it.
    if (row <= done || bytes.every((byte) => byte === 0x20 || byte === 0x0d)) continue
    yield readLine(row, bytes)
  }
}

function readLine(row: number, bytes: Buffer): Line | RowRefused {
  try {
    const input = parseJson(bytes)
    if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new Invalid('A line is an object.')
    checkValue(input, 'A line')
    return { row, input: input as Line['input'] }
  } catch (error) {
    if (error instanceof AppError) return new RowRefused(row, error)
    throw error
  }
}

/** Null for a line that is too long, after which there is nothing. */
async function* splitLines(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer | null> {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    let from = 0
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      parts.push(chunk.subarray(from, at))
      yield size + at - from > limits.lineBytes ? null : joined(parts)
      parts = []
      size = 0
      from = at + 1
    }
    parts.push(chunk.subarray(from))
    size += chunk.length - from
    if (size > limits.lineBytes) return yield null
  }
  if (size > 0) yield joined(parts)
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}
