/** Files in GraphQL: the multipart request specification, https://github.com/jaydenseric/graphql-multipart-request-spec */
import type { IncomingMessage } from 'node:http'
import { Invalid, LimitExceeded, Unavailable } from '../errors.ts'
import { makeUpload, type Upload } from '../lib/upload.ts'
import { limits } from './limits.ts'
import { boundaryOf, type Part, readParts } from './multipart.ts'
import { type Operation, readOperation } from './operation.ts'
import { Refusal } from './refusal.ts'
import { parseJson } from './values.ts'

type Exchange = { req: IncomingMessage; operation?: Operation; bytesIn?: number }

export function isMultipart(req: IncomingMessage): boolean {
  return req.method === 'POST' && /^multipart\/form-data\b/i.test(req.headers['content-type'] ?? '')
}

/** Whether the body of a request may take longer than others. */
export function isUpload(req: IncomingMessage): boolean {
  return isMultipart(req) || isDeployment((req.url ?? '').split('?', 1)[0] ?? '')
}

const deployment = /^\/projects\/[\w-]{1,64}\/deployments\/[\w-]{1,64}\/(source|artefact)$/

export function isDeployment(path: string): boolean {
  return deployment.test(path)
}

/** How many bodies a node takes in at a time; each holds a few pieces of a file in memory. */
export type Intake = { take: (req: IncomingMessage) => () => void }

export function createIntake(): Intake {
  let running = 0
  const take = (req: IncomingMessage) => {
    if (running >= limits.uploads)
      throw new Unavailable(`A node takes ${limits.uploads} uploads at a time. Try again later.`, {
        retryAfterMs: 1_000,
      })
    running += 1
    const { socket } = req
    const stop = () => void socket.destroy()
    socket.setTimeout(limits.transferStallMs).once('timeout', stop)
    const late = setTimeout(stop, limits.fileMs)
    return () => {
      running -= 1
      clearTimeout(late)
      socket.setTimeout(0).off('timeout', stop)
    }
  }
  return { take }
}

/** What is still coming of a body is read and thrown away for a moment, so that the client hears the answer. */
export function discard(req: IncomingMessage): void {
  if (req.complete) return
  const { socket } = req.resume()
  setTimeout(() => req.complete || socket.destroy(), limits.discardMs).unref()
}

/**
 * Reads the operation, which comes first, and gives it the file that comes behind it as a variable: it is read while the
 * operation runs, by whoever wants it, and by nobody where the operation is refused.
 */
export async function withUpload(intake: Intake, exchange: Exchange, serve: () => Promise<void>): Promise<void> {
  const { req } = exchange
  const boundary = readHeaders(req)
  const body = (async function* () {
    try {
      for await (const chunk of req.iterator({ destroyOnReturn: false })) {
        exchange.bytesIn = (exchange.bytesIn ?? 0) + chunk.length
        yield chunk as Buffer
      }
    } catch (error) {
      throw req.destroyed ? new Refusal(400, 'INVALID', 'The body ended early.') : error
    }
  })()
  // Until then it is a body as any other. What comes behind it has a place once somebody wants it who may.
  const late = setTimeout(() => req.socket.destroy(), limits.uploadMs)
  try {
    exchange.operation = await readFirst(readParts(body, boundary), () => intake.take(req)).finally(() =>
      clearTimeout(late),
    )
    await serve()
  } finally {
    // It may be waiting for a chunk that does not come.
    void body.return(undefined).then(() => discard(req))
  }
}

function readHeaders({ headers }: IncomingMessage): string {
  // A page of another origin can send this without asking first.
  if (headers['x-tendril-csrf'] === undefined)
    throw new Refusal(403, 'FORBIDDEN', 'Send multipart/form-data together with the header x-tendril-csrf.')
  if (headers['content-encoding'] !== undefined) throw new Refusal(415, 'INVALID', 'The body may not be compressed.')
  const boundary = boundaryOf(headers['content-type'] ?? '')
  if (boundary === null) throw new Refusal(415, 'INVALID', 'multipart/form-data needs a boundary.')
  return boundary
}

async function readFirst(parts: AsyncGenerator<Part>, take: () => () => void): Promise<Operation> {
  const operations = parseJson(await readText(await nextPart(parts, 'operations')))
  if (Array.isArray(operations)) throw new Invalid('An upload is one operation, not a batch.', ['operations'])
  const { key, path } = readMap(parseJson(await readText(await nextPart(parts, 'map'))))
  return withFile(readOperation(operations), path, fileOf(parts, key, take))
}

const order = 'First comes the part “operations”, then “map”, then the file.'

async function nextPart(parts: AsyncGenerator<Part>, name: string): Promise<Part> {
  const { done, value } = await parts.next()
  if (done || value.name !== name) throw new Invalid(`The part “${name}” is missing. ${order}`, [name])
  return value
}

async function readText({ name, bytes }: Part): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > limits.bodyBytes) throw new LimitExceeded(`The part “${name}” may have ${limits.bodyBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Which part is which variable: `{ "0": ["variables.input.file"] }`. */
function readMap(map: unknown): { key: string; path: readonly string[] } {
  const entries = typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.entries(map) : []
  const [[key, paths] = ['', null], another] = entries
  if (another) throw new LimitExceeded('A request carries one file.')
  const [path, more] = Array.isArray(paths) ? paths : []
  if (more !== undefined) throw new Invalid('A file is one variable.', ['map'])
  if (typeof path !== 'string' || !/^variables(\.\w{1,64}){1,8}$/.test(path))
    throw new Invalid('“map” names the variable that is the file: { "0": ["variables.input.file"] }.', ['map'])
  return { key, path: path.split('.').slice(1) }
}

/** In the place of a null. */
function withFile(operation: Operation, path: readonly string[], file: Upload): Operation {
  const variables = { ...operation.variables }
  let place: Record<string, unknown> = variables
  for (const [i, name] of path.entries()) {
    const there = Object.hasOwn(place, name) ? place[name] : undefined
    const isLast = i === path.length - 1
    const fits = isLast ? there === null : typeof there === 'object' && there !== null && !Array.isArray(there)
    if (!fits) throw new Invalid(`The variable “${path.join('.')}” is not null, or not there.`, ['map'])
    place[name] = isLast ? file : { ...(there as object) }
    place = place[name] as Record<string, unknown>
  }
  return { ...operation, variables }
}

function fileOf(parts: AsyncGenerator<Part>, key: string, take: () => () => void): Upload {
  const bytes = async function* () {
    const release = take()
    try {
      const { done, value } = await parts.next()
      if (done || value.name !== key) throw new Invalid(`The file “${key}” is missing. ${order}`, ['map'])
      yield* value.bytes
      if (!(await parts.next()).done) throw new LimitExceeded('A request carries one file.')
    } finally {
      release()
    }
  }
  return makeUpload({ name: key, type: 'application/octet-stream', bytes })
}
