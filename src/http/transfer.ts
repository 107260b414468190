/** Import and export: more than one answer of GraphQL holds, as streams of JSON Lines. `docs/guides/command-line.md` tells of them. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { App } from '../app.ts'
import { authenticate } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { exportedFields, exportPages } from '../documents/export.ts'
import { importRows, progressOf } from '../documents/import.ts'
import { RowRefused } from '../documents/import-rows.ts'
import { isDocumentId } from '../documents/input.ts'
import { loadModel } from '../documents/load.ts'
import type { CollectionModel, ProjectModel } from '../documents/model.ts'
import { holderOf } from '../documents/permissions.ts'
import { Forbidden, Invalid, NotFound, Unauthenticated, Unavailable } from '../errors.ts'
import { visibleDatabases } from '../modules/databases/databases.ts'
import { limits } from './limits.ts'
import { readLines } from './lines.ts'
import type { Load } from './load.ts'
import { maskError } from './mask.ts'
import { Refusal } from './refusal.ts'
import { parseJson } from './values.ts'

type Exchange = { req: IncomingMessage; res: ServerResponse; requestId: string; path: string; search: URLSearchParams }
type Parts = { app: App; load: Load; addressOf: (req: IncomingMessage) => string }

const route = /^\/projects\/([\w-]{1,64})\/(import|export)\/([\w.-]{1,128})$/

/** Whether a request is one of these: its body may take longer than others. */
export function isTransfer(path: string): boolean {
  return route.test(path.split('?', 1)[0] ?? '')
}

export function createTransfers({ app, load, addressOf }: Parts): (exchange: Exchange) => Promise<void> {
  let running = 0
  return async (exchange) => {
    const { req, requestId, path } = exchange
    const [, projectId = '', kind, name = ''] = route.exec(path) ?? []
    const isImport = kind === 'import'
    if (req.method !== (isImport ? 'POST' : 'GET')) {
      exchange.res.setHeader('allow', isImport ? 'POST' : 'GET')
      throw new Refusal(405, 'INVALID', isImport ? 'Import with POST.' : 'Export with GET.')
    }
    if (isImport) requireLines(req)
    const ctx = await authenticate(app, {
      projectId,
      authorization: req.headers.authorization ?? null,
      requestId,
      ip: addressOf(req),
      userAgent: String(req.headers['user-agent'] ?? '').slice(0, 512),
    })
    load.admit(ctx)
    requireRight(ctx, isImport ? 'write' : 'read')
    const model = await loadModel(app.sql, projectId)
    const collection = await findCollection(ctx, model, name)
    // Each holds a connection for as long as it takes.
    if (running >= limits.transfers)
      throw new Unavailable(`A node runs ${limits.transfers} transfers at a time. Try again later.`)
    running += 1
    const { socket } = req
    const stalled = () => void socket.destroy()
    socket.setTimeout(limits.transferStallMs).once('timeout', stalled)
    try {
      if (isImport) await receive(ctx, { model, collection }, exchange)
      else await app.shares.run(projectId, () => send(ctx, model, collection, exchange))
    } finally {
      running -= 1
      socket.setTimeout(0).off('timeout', stalled)
    }
  }
}

function requireLines(req: IncomingMessage): void {
  const [type] = (req.headers['content-type'] ?? '').toLowerCase().split(';')
  if (type?.trim() === 'application/x-ndjson') return
  throw new Refusal(415, 'INVALID', 'The body must be application/x-ndjson: a JSON object on each line.')
}

/** Whoever is held to permissions, document by document, has GraphQL. */
function requireRight(ctx: Context, right: 'read' | 'write'): void {
  if (holderOf(ctx)[right].roles === null) return
  throw new Forbidden(`This is for members of the project, and for keys with the scope documents.${right}.`)
}

const recheckMs = 1_000

/** Asks again, now and then, whether they who began it still may: a transfer lasts for as long as its other end likes. */
function watchRight(ctx: Context, right: 'read' | 'write'): () => Promise<void> | null {
  let due = performance.now() + recheckMs
  const check = async () => {
    const now = await ctx.reauthenticate()
    if (!now) throw new Unauthenticated('This credential is no longer valid.')
    requireRight(now, right)
    due = performance.now() + recheckMs
  }
  return () => (performance.now() < due ? null : check())
}

async function* whileAllowed<T>(items: AsyncIterable<T>, check: () => Promise<void> | null): AsyncGenerator<T> {
  for await (const item of items) {
    const checking = check()
    if (checking) await checking
    yield item
  }
}

/** By its id, its key where only one has it, or `database.key`. */
async function findCollection(ctx: Context, model: ProjectModel, name: string): Promise<CollectionModel> {
  const all = [...model.collections.values()]
  const at = name.indexOf('.')
  const [database, key] = [name.slice(0, Math.max(at, 0)), name.slice(at + 1)]
  const named = all.filter((one) => one.id === name || one.key === key)
  const row =
    at < 0 ? null : await ctx.db.database.findFirst({ where: { AND: [{ key: database }, visibleDatabases(ctx)] } })
  const [found, another] = at < 0 ? named : named.filter(({ databaseId }) => databaseId === row?.id)
  if (another) throw new Invalid(`Several databases have a collection “${key}”: say which, as database.${key}.`)
  if (!found) throw new NotFound('There is no such collection.')
  return found
}

type Progress = Readonly<Record<string, unknown>>

/** Answers a line for each batch while the body is still coming, and one at the end, which says what went wrong or that nothing did. */
async function receive(
  ctx: Context,
  place: { model: ProjectModel; collection: CollectionModel },
  { req, res, search, requestId }: Exchange,
): Promise<void> {
  const duplicates = oneOf(search, 'onDuplicate', ['fail', 'skip', 'update'] as const) ?? 'fail'
  const transaction = search.get('transaction') === 'true'
  const token = search.get('token')
  if (token !== null && !/^[\w-]{8,64}$/.test(token))
    throw new Invalid('A token has 8 to 64 letters, digits, _ and -.', ['token'])
  const first = Number(search.get('first') ?? 1)
  if (!Number.isSafeInteger(first) || first < 1) throw new Invalid('The first row is a number from 1 on.', ['first'])
  const done = token === null ? 0 : await progressOf(ctx, place.collection, token)
  res.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const tell = (progress: Progress) => write(res, `${JSON.stringify(progress)}\n`)
  await tell({ row: done })
  try {
    const rows = readLines(req.iterator({ destroyOnReturn: false }), first, done)
    const counts = await importRows(ctx, place, whileAllowed(rows, watchRight(ctx, 'write')), {
      duplicates,
      transaction,
      textual: search.get('values') === 'text',
      token,
      done,
      onProgress: (row, soFar) => tell({ row, ...soFar }),
    })
    await tell({ done: true, ...counts })
  } catch (error) {
    if (req.destroyed && !req.complete) return
    const { message, extensions } = maskError(error instanceof RowRefused ? error.cause : error, {
      requestId,
      log: ctx.log,
      metrics: ctx.metrics,
    })
    const at = Array.isArray(extensions.path) ? extensions.path.filter((part) => part !== 'input') : []
    const row = error instanceof RowRefused ? error.row : null
    await tell({ error: { ...extensions, message, path: at, row }, kept: !transaction })
    // It may be sending still: what comes is thrown away for as long as it takes to read why.
    const { socket } = req.resume()
    setTimeout(() => req.complete || socket.destroy(), 1_000)
  }
  res.end()
}

async function send(
  ctx: Context,
  model: ProjectModel,
  collection: CollectionModel,
  { res, search }: Exchange,
): Promise<void> {
  const given = search.get('where')
  const where = given === null ? null : parseJson(given, ['where'])
  if (where !== null && (typeof where !== 'object' || Array.isArray(where)))
    throw new Invalid('A filter is an object.', ['where'])
  const after = search.get('after')
  if (after && !isDocumentId(after)) throw new Invalid('This is not the id of a document.', ['after'])
  const pages = whileAllowed(exportPages(ctx, model, collection, { where, after }), watchRight(ctx, 'read'))
  // What is wrong with the filter is told before the answer begins.
  let page = await pages.next()
  res.writeHead(200, { 'content-type': 'application/x-ndjson' })
  try {
    if (search.get('fields') === 'true') await write(res, `${JSON.stringify(exportedFields(collection))}\n`)
    for (; !page.done; page = await pages.next()) {
      await write(res, page.value)
      if (res.destroyed) return
    }
  } finally {
    await pages.return(undefined)
  }
  res.end()
}

/** Waits until the other end has taken it, or is gone. */
async function write(res: ServerResponse, text: string): Promise<void> {
  if (res.write(text) || res.destroyed) return
  const settled = new AbortController()
  const { signal } = settled
  await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })])
  settled.abort()
}

function oneOf<Choice extends string>(
  search: URLSearchParams,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const given = search.get(name)
  if (given === null) return undefined
  const found = choices.find((choice) => choice === given)
  if (!found) throw new Invalid(`This is one of ${choices.join(', ')}.`, [name])
  return found
}
