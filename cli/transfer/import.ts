import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { explain, headersOf, type Target, unreachable, urlOf } from '../api.ts'
import { type Command, choose } from '../command.ts'
import { Failure } from '../failure.ts'
import { count, openProgress } from './progress.ts'
import { type Format, openRows, type Rows } from './rows.ts'
import { openState, type State } from './state.ts'

type Position = { token: string; row: number }

export const importCommand: Command = {
  name: 'import',
  usage: 'COLLECTION FILE [--format jsonl|csv] [--on-duplicate fail|skip|update] [--transaction | --resume]',
  summary:
    'Brings the rows of a file into a collection. Without --transaction, what came before a row that is refused stays, and --resume goes on from there.',
  options: {
    format: { type: 'string', says: 'jsonl or csv; by the name of the file, if left out' },
    'on-duplicate': {
      type: 'string',
      says: 'what becomes of a row whose id is there: fail, skip or update; fail, if left out',
    },
    transaction: { type: 'boolean', says: 'import all rows or none' },
    resume: { type: 'boolean', says: 'go on behind the last row that was imported' },
  },
  words: 2,
  run: async ({ values, words: [collection = '', file = ''], api }) => {
    const { target } = api()
    const format = choose(values, 'format', ['jsonl', 'csv']) ?? formatOf(file)
    const duplicates = choose(values, 'on-duplicate', ['fail', 'skip', 'update']) ?? 'fail'
    const transaction = values.transaction === true
    if (transaction && values.resume)
      throw new Failure('What is done in one transaction is done in one go: leave out --resume.')
    const size = sizeOf(file)
    const state = openState<Position>(`${file}.import.json`, { collection, project: target.project, url: target.url })
    const begin = values.resume ? state.read() : { token: randomUUID(), row: 0 }
    const search = new URLSearchParams({
      onDuplicate: duplicates,
      first: String(begin.row + 1),
      ...(format === 'csv' ? { values: 'text' } : {}),
      ...(transaction ? { transaction: 'true' } : { token: begin.token }),
    })
    const rows = openRows(file, format, begin.row)
    await run(
      { target, path: `import/${encodeURIComponent(collection)}?${search}`, file, size, rows, transaction },
      state,
      begin,
    )
    return 0
  },
}

type Import = { target: Target; path: string; file: string; size: number; rows: Rows; transaction: boolean }
type Counts = { created: number; updated: number; skipped: number }
type Told = Partial<Counts> & {
  row?: number
  done?: boolean
  error?: { code: string; message: string; path: string[]; row: number | null }
}

async function run(given: Import, state: State<Position>, begin: Position): Promise<void> {
  const { file, size, rows, transaction } = given
  let at = begin.row
  const progress = openProgress(() => ({ rows: at - begin.row, part: size === 0 ? 1 : rows.bytes() / size }))
  const keep = (now: boolean) => {
    if (!transaction) state.write({ token: begin.token, row: at }, now)
  }
  keep(true)
  try {
    const counts = await transfer(given, (row) => {
      at = Math.max(at, row)
      rows.forget(row)
      keep(false)
    })
    state.remove()
    const parts = [`${count(counts.created)} created`, `${counts.updated} updated`, `${counts.skipped} skipped`]
    progress.close(`${file}: ${parts.join(', ')}`)
  } catch (error) {
    keep(true)
    progress.close('Stopped')
    if (!(error instanceof Failure)) throw error
    const kept = `${count(at)} of the file ${at === 1 ? 'is' : 'are'} imported. --resume goes on behind them.`
    throw new Failure(`${error.message}\n${transaction ? 'Nothing was imported.' : kept}`)
  }
}

/** Sends and listens at the same time: the server says how far it is while the file is still on its way. */
async function transfer(given: Import, onRow: (row: number) => void): Promise<Counts> {
  const { target, rows, file } = given
  const url = new URL(urlOf(target, given.path))
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    method: 'POST',
    headers: { ...headersOf(target), 'content-type': 'application/x-ndjson' },
  })
  const sending = pipeline(Readable.from(rows.body, { objectMode: true }), request).catch((error) => error)
  let response: IncomingMessage
  try {
    ;[response] = (await once(request, 'response')) as [IncomingMessage]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const broke = code === 'ECONNRESET' || code === 'EPIPE' ? new Failure(`The connection broke (${code}).`) : null
    throw fileFault(file, await sending) ?? broke ?? unreachable(target, error as Error)
  }
  try {
    const counts = await listen(given, response, onRow)
    if (counts) return counts
  } catch (error) {
    if (error instanceof Failure) throw error
    const fault = fileFault(file, await sending)
    throw fault ?? new Failure(`The connection broke: ${(error as Error).message}.`)
  } finally {
    request.destroy()
  }
  throw fileFault(file, await sending) ?? new Failure('The connection broke.')
}

/** What the server tells, until it has told the end of it. */
async function listen(given: Import, response: IncomingMessage, onRow: (row: number) => void): Promise<Counts | null> {
  const lines = createInterface({ input: response })
  let broken: Error | undefined
  response.once('error', (error) => {
    broken = error
    lines.close()
  })
  for await (const line of lines) {
    if (response.statusCode !== 200) throw refusal(given.target, line)
    const { row, done, error, ...counts } = JSON.parse(line) as Told
    if (error) {
      // What came before it is there, or nothing is.
      if (error.row !== null) onRow(error.row - 1)
      throw new Failure(placeOf(given, error))
    }
    if (done) return { created: 0, updated: 0, skipped: 0, ...counts }
    if (row !== undefined) onRow(row)
  }
  if (broken) throw broken
  return null
}

function placeOf({ file, rows }: Import, { message, path, row }: NonNullable<Told['error']>): string {
  const field = path.length > 0 ? `${path.join('.')}: ` : ''
  return row === null ? `${file}: ${field}${message}` : `${file}:${rows.lineOf(row)}: ${field}${message}`
}

function refusal(target: Target, line: string): Failure {
  try {
    return explain(target, JSON.parse(line).errors[0])
  } catch {
    return new Failure(`${target.url} does not answer as a Tendril does. Is --url right?`)
  }
}

/** What is wrong with the file itself, where that is what ended it. */
function fileFault(file: string, error: unknown): Failure | null {
  const { code = '', message = '', lines } = (error ?? {}) as { code?: string; message?: string; lines?: number }
  if (code.startsWith('CSV_')) return new Failure(`${file}:${lines}: ${message}`)
  return ['ENOENT', 'EISDIR', 'EACCES', 'EIO'].includes(code) ? new Failure(`${file} cannot be read: ${message}`) : null
}

function sizeOf(file: string): number {
  try {
    const found = statSync(file)
    if (found.isFile()) return found.size
  } catch {}
  throw new Failure(`There is no file ${file}.`)
}

/** By the end of its name. */
export function formatOf(file: string): Format {
  if (file.endsWith('.csv')) return 'csv'
  if (file.endsWith('.jsonl') || file.endsWith('.ndjson')) return 'jsonl'
  throw new Failure(`Say what ${file} is: --format jsonl or --format csv.`)
}
