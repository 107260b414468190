/** What a function answers with, and how it leaves the isolate. */
import { bytesOf, encodeText, toBase64 } from './bytes.ts'
import type { Response } from './http.ts'
import { scope } from './scope.ts'
import type { ReadableStream } from './streams.ts'

export type Made = { status: number; headers: Record<string, string>; body: unknown }
type Given = Record<string, unknown> | Iterable<readonly [string, unknown]>

/** Most bytes of an answer that is not streamed. The host has the same limit; this one ends a stream without end. */
const maxBytes = 6 * 1024 * 1024

export class AnswerError extends Error {
  readonly reason: 'INVALID_ANSWER' | 'TOO_LARGE'
  constructor(reason: AnswerError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

const made = new WeakSet<object>()
export const isMade = (value: unknown): value is Made => typeof value === 'object' && value !== null && made.has(value)

/** The contract's `res`. `all` gets every answer that was made with it. */
export function createRes(all: Made[]) {
  const make = (body: unknown, status: number, type: string | null, given?: Given): Made => {
    const headers = lowered(given)
    if (type && !headers['content-type']) headers['content-type'] = type
    const answer = { status, headers, body }
    made.add(answer)
    all.push(answer)
    return answer
  }
  return {
    json: (value: unknown, status = 200, headers?: Given) =>
      make(JSON.stringify(value) ?? 'null', status, 'application/json', headers),
    text: (text: unknown, status = 200, headers?: Given) =>
      make(String(text), status, 'text/plain; charset=utf-8', headers),
    empty: (status = 204, headers?: Given) => make(null, status, null, headers),
    redirect: (url: unknown, status = 302, headers?: Given) =>
      make(null, status, null, [...pairsOf(headers), ['location', locationOf(String(url))]]),
    binary: (bytes: unknown, status = 200, headers?: Given) => {
      const body = bytesOf(bytes)
      if (!body) throw new TypeError('res.binary takes an ArrayBuffer or a typed array.')
      return make(body, status, 'application/octet-stream', headers)
    },
  }
}

function pairsOf(from?: Given | null): (readonly [string, unknown])[] {
  const given = from ?? {}
  return Symbol.iterator in given ? [...(given as Iterable<[string, unknown]>)] : Object.entries(given)
}

/** By names in small letters. Several values of one name are one line, but for cookies, which are lines of their own. */
function lowered(given?: Given): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of pairsOf(given)) {
    if (value === undefined || value === null) continue
    const key = String(name).toLowerCase()
    const before = key === 'set-cookie' ? headers[key] : undefined
    const values = [before ?? [], value].flat()
    headers[key] = values.map(String).join(key === 'set-cookie' ? '\n' : ', ')
  }
  return headers
}

/** What a header cannot carry is encoded; what is encoded already stays as it is. */
const locationOf = (url: string) => url.toWellFormed().replace(/[^!-~]+/g, encodeURIComponent)

/** Of a Response of ours, or of what a program has brought along to be one. */
async function fromResponse(response: Response): Promise<Made> {
  if (typeof response.take !== 'function') {
    const headers = Object.fromEntries(response.headers)
    return { status: response.status, headers, body: new Uint8Array(await (response as Response).arrayBuffer()) }
  }
  return { status: response.status, headers: response.headers.toJSON(), body: response.take() }
}

export function isResponse(value: unknown): value is Response {
  return (
    typeof value === 'object' && value !== null && 'arrayBuffer' in value && 'headers' in value && 'status' in value
  )
}

/** What `waitUntil` was given. */
type Later = { has: () => boolean; settle: () => Promise<void> }

/** Gives the answer to the host: in one piece, or as it comes where that is wanted. */
export async function giveAnswer(given: Made | Response, isStreamed: boolean, later: Later): Promise<void> {
  const { status, headers, body } = isMade(given) ? given : await fromResponse(given as Response)
  if (status === 0) throw new AnswerError('INVALID_ANSWER', 'Response.error() is no answer.')
  const bytes = bytesOf(body)
  const size = typeof body === 'string' ? body.length : (bytes?.length ?? 0)
  if (size > maxBytes) throw tooLarge()
  if (body === null || typeof body === 'string') return end({ status, headers, isText: true }, body ?? '', later)
  if (bytes) return end({ status, headers }, toBase64(bytes), later)
  // What `waitUntil` was given may be what writes a stream: that is read first.
  if (isStreamed) await giveStream(status, headers, body as ReadableStream)
  const collected = isStreamed ? '' : toBase64(await collect(body as ReadableStream))
  await end({ status, headers }, collected, later)
}

/** The answer stands before what `waitUntil` was given is waited for, whatever becomes of that. */
async function end(head: object, body: string, later: Later): Promise<void> {
  const { tell } = scope()
  if (later.has()) {
    tell('hold', head, body)
    await later.settle()
    tell('end', null, '')
  } else tell('end', head, body)
}

const tooLarge = () => new AnswerError('TOO_LARGE', 'The answer is larger than 6 MB.')
const chunkOf = (chunk: unknown) => bytesOf(chunk) ?? encodeText(scope().call, String(chunk))

async function giveStream(status: number, headers: Record<string, string>, stream: ReadableStream): Promise<void> {
  const { call, ask, onLeave } = scope()
  call('head', { status, headers })
  const reader = stream.getReader()
  let asked: ReturnType<typeof ask> | null = null
  let cancelled: Promise<void> | null = null
  onLeave((reason) => {
    cancelled = reader.cancel(reason)
    cancelled.catch(() => {})
    asked?.cancel(reason)
  })
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      const bytes = chunkOf(step.value)
      // What is larger than a call may be goes in several, one at a time: the host answers when there is room for the next.
      for (let at = 0; at < bytes.length; at += maxBytes) {
        asked = ask('chunk', null, toBase64(bytes.subarray(at, at + maxBytes)))
        await asked.answer
      }
    }
  } catch (error) {
    if (!cancelled) await reader.cancel(error).catch(() => {})
    if (!cancelled) throw error
  }
  await cancelled
}

async function collect(stream: ReadableStream): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    const piece = chunkOf(chunk)
    size += piece.length
    if (size > maxBytes) throw tooLarge()
    pieces.push(piece)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
