import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import type { Payload } from '../changes/feed.ts'
import { TooSlow } from '../tail.ts'
import { comment, completed, eventHeaders, eventOf, pingMs } from './event-stream.ts'
import { feedTo } from './fed.ts'
import { statusOf } from './mask.ts'
import { createOutlet } from './outlet.ts'
import { cutOf, type Fed } from './stream.ts'

type Results = AsyncIterableIterator<ExecutionResult>
/** What the results are to pass; `cursor` says where they are. */
export type Follow = (results: Results, cursor: () => string | undefined) => Results

type Options = {
  leaving: AbortSignal
  /** Of each result. */
  onSent: (bytes: number) => void
  follow: Follow
}

/**
 * A subscription as server-sent events, straight to the response: each event is the same bytes for all who get the payload.
 * One that is refused is answered with JSON and a status. Resolves at its end.
 */
export async function serveFed(res: ServerResponse, fed: Fed, { leaving, onSent, follow }: Options): Promise<void> {
  const isOpen = () => res.writable && !res.destroyed
  const write = (bytes: Buffer) => {
    res.write(bytes)
    onSent(bytes.length)
  }
  const begin = () => {
    if (res.headersSent || !isOpen()) return
    res.writeHead(200, eventHeaders)
    // Browsers wait for a first byte before they say that the stream is open.
    res.write(comment)
  }
  const place = { outlet: createOutlet({ stream: res, isOpen, send: write }), cursor: undefined, frame, begin }
  const results = follow(feedTo(place, fed), () => place.cursor)
  const leave = () => void results.return?.()
  const ping = setInterval(() => res.headersSent && res.writableLength === 0 && res.write(comment), pingMs)
  res.once('close', leave)
  leaving.addEventListener('abort', leave, { once: true })
  // Neither is told of again that was over before this began.
  if (leaving.aborted || !isOpen()) leave()
  const last = await results.next().finally(() => {
    clearInterval(ping)
    leaving.removeEventListener('abort', leave)
  })
  if (!isOpen()) return
  if (!last.done && !res.headersSent) return refuse(res, last.value)
  begin()
  if (!last.done) write(Buffer.from(eventOf(last.value)))
  // Whoever did not keep up, or is sent elsewhere, is to come back, and so is not told that this is all.
  const isAll = !last.done && !(cutOf(last.value) instanceof TooSlow)
  res.end(isAll ? completed : undefined)
}

const frames = new WeakMap<Payload, Buffer>()

/** Made once for all who get it. */
function frame(payload: Payload): Buffer {
  const known = frames.get(payload)
  if (known) return known
  const { json, cursor } = payload
  const made = Buffer.concat([Buffer.from(`id: ${cursor}\nevent: next\ndata: `), json, Buffer.from('\n\n')])
  frames.set(payload, made)
  return made
}

function refuse(res: ServerResponse, result: ExecutionResult): void {
  res.writeHead(statusOf(result), { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(result))
}
