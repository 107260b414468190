import { once } from 'node:events'
import { createWriteStream, existsSync, truncateSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { stringify } from 'csv-stringify/sync'
import { explain, headersOf, type Target, unreachable, urlOf } from '../api.ts'
import { type Command, choose } from '../command.ts'
import { Failure } from '../failure.ts'
import { formatOf } from './import.ts'
import { count, openProgress } from './progress.ts'
import type { Format } from './rows.ts'
import { openState, type State } from './state.ts'

/** How far an export is: the last document's id, the length of the file, and how many there are in it. */
type Position = { after: string | null; bytes: number; rows: number }

export const exportCommand: Command = {
  name: 'export',
  usage: 'COLLECTION [--out FILE] [--format jsonl|csv] [--where JSON] [--resume]',
  summary: 'Writes the documents of a collection, as they are at one moment, to a file or to the standard output.',
  options: {
    out: { type: 'string', says: 'the file to write; the standard output, if left out' },
    format: { type: 'string', says: 'jsonl or csv; by the name of the file, or jsonl, if left out' },
    where: { type: 'string', says: 'only documents that match this filter, as in the API' },
    resume: { type: 'boolean', says: 'go on with a file that broke off' },
  },
  words: 1,
  run: async ({ values, words: [collection = ''], api }) => {
    const { target } = api()
    const out = typeof values.out === 'string' ? values.out : null
    const format = choose(values, 'format', ['jsonl', 'csv']) ?? (out === null ? 'jsonl' : formatOf(out))
    const where = typeof values.where === 'string' ? values.where : ''
    if (out === null && values.resume) throw new Failure('Only a file can be gone on with: say --out.')
    const what = { collection, project: target.project, url: target.url, format, where }
    const state = out === null ? null : openState<Position>(`${out}.export.json`, what)
    const begin = values.resume && state ? state.read() : { after: null, bytes: 0, rows: 0 }
    const search = new URLSearchParams({
      ...(where ? { where } : {}),
      ...(begin.after ? { after: begin.after } : {}),
      ...(format === 'csv' ? { fields: 'true' } : {}),
    })
    const body = await open(target, `export/${encodeURIComponent(collection)}?${search}`)
    await run(body, { out, format, begin, state })
    return 0
  },
}

async function open(target: Target, path: string): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(urlOf(target, path), { headers: headersOf(target) }).catch((error) => {
    throw unreachable(target, error)
  })
  if (response.ok && response.body) return response.body
  const answer = await response.json().catch(() => ({}))
  throw explain(
    target,
    (answer as { errors?: { message: string }[] }).errors?.[0] ?? { message: `HTTP ${response.status}.` },
  )
}

type Export = { out: string | null; format: Format; begin: Position; state: State<Position> | null }

async function run(body: AsyncIterable<Uint8Array>, { out, format, begin, state }: Export): Promise<void> {
  const file = await openFile(out, begin)
  let position = begin
  const progress = out === null ? null : openProgress(() => ({ rows: position.rows - begin.rows, part: null }))
  try {
    let fields: string[] | null = null
    for await (const lines of pagesOf(body)) {
      fields ??= format === 'csv' ? takeFields(lines) : null
      const text = fields ? csv(lines, fields, position.bytes === 0) : lines.map((line) => `${line}\n`).join('')
      if (!file.write(text)) await once(file, 'drain')
      const after = lines.length > 0 ? JSON.parse(lines.at(-1) ?? '').id : position.after
      position = { after, bytes: position.bytes + Buffer.byteLength(text), rows: position.rows + lines.length }
      state?.write(position)
    }
  } catch (error) {
    await finish(file, out)
    state?.write(position, true)
    progress?.close('Stopped')
    const again = out === null ? '' : ` ${count(position.rows)} are in ${out}. --resume goes on behind them.`
    throw new Failure(`The connection broke: ${(error as Error).message}.${again}`)
  }
  await finish(file, out)
  state?.remove()
  progress?.close(`${out}: ${count(position.rows)}`)
}

/** What was written behind the last position that was kept is cut off: it comes again. */
async function openFile(out: string | null, { bytes }: Position): Promise<Writable> {
  if (out === null) return process.stdout
  if (bytes > 0) {
    if (!existsSync(out)) throw new Failure(`There is no ${out} to go on with.`)
    truncateSync(out, bytes)
  }
  const file = createWriteStream(out, { flags: bytes > 0 ? 'a' : 'w' })
  await once(file, 'open').catch((error: Error) => {
    throw new Failure(`${out} cannot be written: ${error.message}`)
  })
  return file
}

async function finish(file: Writable, out: string | null): Promise<void> {
  if (out !== null) await new Promise<void>((resolve) => file.end(resolve))
}

/** Whole lines, as many as have come. */
async function* pagesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0) yield lines
  }
  if (rest !== '') throw new Error('the last line is not whole')
}

/** Takes the names of the fields away from before the documents; one of 0.3 or before tells none. */
function takeFields(lines: string[]): string[] {
  const first = JSON.parse(lines[0] ?? '{}')
  if (!Array.isArray(first)) return Object.keys(first)
  lines.shift()
  return first
}

/** Nothing is null, quotes around nothing an empty text; what is no single value is JSON. */
function csv(lines: readonly string[], columns: string[], header: boolean): string {
  const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const cast = { boolean: String, number: String, object: cell, string: text }
  return stringify(rows, { header, columns, cast })
}

function cell(value: unknown): string {
  return JSON.stringify(value)
}

function text(value: string) {
  return value === '' ? { value, quoted_empty: true } : value
}
