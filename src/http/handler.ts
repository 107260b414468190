import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import type { App } from '../app.ts'
import { authenticate } from '../authenticate.ts'
import type { Context } from '../context.ts'
import type { Health } from '../health.ts'
import type { Hosts } from '../modules/domains/hosts.ts'
import type { Inbox } from '../platform/inbox.ts'
import type { Span } from '../platform/tracing.ts'
import type { Graphql } from '../server.ts'
import { isChallenge, serveChallenge } from './challenge.ts'
import { createDeploymentRoute } from './deployments.ts'
import { calledBy, createFunctionRoute } from './functions.ts'
import { createGraphiql } from './graphiql.ts'
import { isInbox, serveInbox } from './inbox.ts'
import type { Load } from './load.ts'
import { maskError, statusOf } from './mask.ts'
import { type Operation, readBody, readQueryString } from './operation.ts'
import { type AllowsOrigin, refuseForged, tellOrigin } from './origin.ts'
import type { Allowed } from './plugins/scope.ts'
import { Refusal } from './refusal.ts'
import { isBrowser, projectOf, readBytes, refuseCompressed, requestIdOf, splitUrl, wantsStream } from './request.ts'
import { isRaw, isStream, jsonOf } from './stream.ts'
import { createTransfers, isTransfer } from './transfer.ts'
import { createIntake, isDeployment, isMultipart, withUpload } from './upload.ts'
import { serveVerification } from './verify.ts'

export type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>

export type Parts = {
  app: App
  graphql: Graphql
  health: Health
  load: Load
  allows: AllowsOrigin
  addressOf: (req: IncomingMessage) => string
  /** What the names lead to that requests come to. */
  hosts: Hosts
  /** The mails of a machine without a mail server. */
  inbox: Inbox | undefined
  /** Runs of functions that go on behind their answer. */
  behind: Set<Promise<unknown>>
  /** Whether the process has been told to end. */
  isLeaving: () => boolean
}

type Exchange = {
  req: IncomingMessage
  res: ServerResponse
  requestId: string
  path: string
  search: URLSearchParams
  /** Bytes of the body, once it is read. */
  bytesIn?: number
  /** The operation, where it came with a file. */
  operation?: Operation
}

/** Answers every HTTP request. What goes wrong is told like an error of GraphQL, wherever it happens. */
export function createHandler(parts: Parts): Handler {
  const route = createRoutes(parts)
  return async (req, res) => {
    const requestId = requestIdOf(req)
    const { log, metrics } = parts.app
    try {
      if (!isPlain(req) || parts.isLeaving()) {
        secure(res, requestId)
        if (parts.isLeaving()) res.setHeader('connection', 'close')
        tellOrigin(req, res, parts.allows)
      }
      await route({ req, res, requestId, ...splitUrl(req) })
    } catch (error) {
      if (res.headersSent) return void res.destroy()
      const result = { errors: [maskError(error, { requestId, log, metrics })] }
      secure(res, requestId)
      tellRetry(res, result)
      writeJson(res, statusOf(result), result)
    }
  }
}

function createRoutes(parts: Parts): (exchange: Exchange) => Promise<void> {
  const graphiql = createGraphiql()
  const intake = createIntake()
  const serveGraphql = createGraphqlRoute(parts)
  const serveTransfer = createTransfers(parts)
  const serveDeployment = createDeploymentRoute(parts, intake)
  const serveFunction = createFunctionRoute(parts)
  return async (exchange) => {
    const { req, res, path } = exchange
    const host = await parts.hosts.find(req.headers.host)
    const called = isChallenge(path) ? null : calledBy(req.url ?? '/', host)
    if (called) return serveFunction(exchange, called)
    const projectId = host && path === '/graphql' ? host.projectId : projectOf(path)
    if (projectId !== null) {
      if (isBrowser(req)) return graphiql.writePage(res, projectId)
      if (isMultipart(req)) return withUpload(intake, exchange, () => serveGraphql(exchange, projectId))
      return serveGraphql(exchange, projectId)
    }
    if (isTransfer(path)) return serveTransfer(exchange)
    if (isDeployment(path)) return serveDeployment(exchange)
    const reads = req.method === 'GET' || req.method === 'HEAD'
    if (reads && path === '/') return void res.writeHead(302, { location: '/graphql' }).end()
    if (path === '/verify') return serveVerification(parts.app, { ...exchange, ip: parts.addressOf(req) })
    if (reads && parts.inbox && isInbox(path)) return serveInbox(parts.inbox, exchange)
    if (reads && isChallenge(path)) return serveChallenge(parts.app, res, path)
    if (reads && path === '/health') return writeJson(res, 200, { status: 'ok' })
    if (reads && path === '/health/ready') return writeReadiness(res, parts)
    if (reads && path.startsWith('/graphiql/') && (await graphiql.writeFile(req, res, path))) return
    throw new Refusal(
      404,
      'NOT_FOUND',
      'There is nothing here. GraphQL is at /graphql and /projects/{project}/graphql.',
    )
  }
}

function createGraphqlRoute(parts: Parts): (exchange: Exchange, projectId: string) => Promise<void> {
  const { app, graphql, load, addressOf } = parts
  const serve = async (exchange: Exchange, projectId: string, span?: Span) => {
    const { req, res, requestId } = exchange
    if (req.method === 'OPTIONS') return void res.writeHead(204).end()
    await load.turn(projectId)
    const asked = await readRequest(exchange)
    const ctx = await authenticate(app, {
      projectId,
      authorization: req.headers.authorization ?? null,
      requestId,
      ip: addressOf(req),
      userAgent: String(req.headers['user-agent'] ?? '').slice(0, 512),
    })
    ctx.span = span
    const once = req.headers['idempotency-key']
    if (ctx.run && typeof once === 'string') ctx.run.idempotencyKey = once
    load.admit(ctx)
    const lastEventId = req.headers['last-event-id']
    if (typeof lastEventId === 'string') ctx.lastEventId = lastEventId
    const bytesOut = wantsStream(req) ? 0 : await answer(parts, exchange, ctx, asked)
    app.meter.request(projectId, exchange.bytesIn ?? 0, bytesOut)
    if (!wantsStream(req)) return
    if (Array.isArray(asked)) throw new Refusal(400, 'INVALID', 'A batch is answered with JSON, not with a stream.')
    return graphql.stream(req, res, ctx, asked, allowedFor(req, true))
  }
  if (!app.tracing.isOn) return serve
  return (exchange, projectId) => {
    const { method, headers } = exchange.req
    const parent = typeof headers.traceparent === 'string' ? headers.traceparent : null
    const work = (span: Span | undefined) => serve(exchange, projectId, span)
    return app.tracing.span(`HTTP ${method}`, parent, work, { kind: 'SERVER' })
  }
}

/** A request of a program for one JSON: its answer's headers are known, and written at once. */
function isPlain(req: IncomingMessage): boolean {
  return (
    req.method === 'POST' && req.headers.origin === undefined && projectOf(req.url ?? '') !== null && !wantsStream(req)
  )
}

async function readRequest(exchange: Exchange): Promise<Operation | Operation[]> {
  const { req, res, search } = exchange
  if (exchange.operation) return exchange.operation
  if (req.method === 'GET') return readQueryString(search)
  if (req.method === 'POST') {
    refuseForged(req)
    refuseCompressed(req)
    const bytes = await readBytes(req)
    exchange.bytesIn = bytes.length
    return readBody(bytes)
  }
  res.setHeader('allow', 'GET, POST')
  throw new Refusal(405, 'INVALID', 'GraphQL is asked with GET or POST.')
}

/** One JSON, for one operation or for a batch, whose operations run side by side. Answers how many bytes it has. */
async function answer(
  { graphql, load }: Parts,
  { req, res }: Exchange,
  ctx: Context,
  asked: Operation | Operation[],
): Promise<number> {
  const run = async (operation: Operation) => {
    const own = Array.isArray(asked) ? { ...ctx } : ctx
    const result = await load
      .run(ctx, (aside) => {
        own.aside = aside
        return graphql.run(own, operation, allowedFor(req, false))
      })
      .catch((error) => ({ errors: [maskError(error, ctx)] }))
    if (!isStream(result)) return result
    await result.return?.()
    return { errors: [maskError(new Refusal(406, 'INVALID', 'This is answered in parts: accept them.'), ctx)] }
  }
  const type = /graphql-response\+json/i.test(req.headers.accept ?? '')
    ? 'application/graphql-response+json'
    : 'application/json'
  const isBare = !res.hasHeader('x-request-id')
  if (Array.isArray(asked)) {
    if (isBare) secure(res, ctx.requestId)
    const results = await Promise.all(asked.map(run))
    return writeText(res, 200, `[${results.map(jsonOf).join(',')}]`, type)
  }
  const result = await run(asked)
  if (isBare && (isRaw(result) || !result.errors)) return writePlain(res, ctx.requestId, jsonOf(result), type)
  if (isBare) secure(res, ctx.requestId)
  if (!isRaw(result)) tellRetry(res, result)
  return writeText(res, isRaw(result) ? 200 : statusOf(result), jsonOf(result), type)
}

function allowedFor(req: IncomingMessage, inParts: boolean): Allowed {
  const allowed: Allowed = req.method === 'GET' ? ['query'] : ['query', 'mutation']
  return inParts ? [...allowed, 'subscription'] : allowed
}

async function writeReadiness(res: ServerResponse, { health, isLeaving }: Parts): Promise<void> {
  const readiness = await health.ready()
  if (isLeaving()) return writeJson(res, 503, { ...readiness, status: 'leaving' })
  writeJson(res, readiness.status === 'unavailable' ? 503 : 200, readiness)
}

/** For proxies and libraries, which know nothing of our codes. */
function tellRetry(res: ServerResponse, { data, errors }: ExecutionResult): void {
  const retryAfterMs = data == null ? errors?.[0]?.extensions.retryAfterMs : undefined
  if (typeof retryAfterMs === 'number') res.setHeader('retry-after', Math.ceil(retryAfterMs / 1_000))
}

function writeJson(res: ServerResponse, status: number, body: unknown): void {
  writeText(res, status, JSON.stringify(body), 'application/json')
}

/** Text, not bytes: Node then sends head and body in one piece. */
function writeText(res: ServerResponse, status: number, text: string, type: string): number {
  const bytes = Buffer.byteLength(text)
  res.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'content-length': bytes })
  res.end(res.req.method === 'HEAD' ? undefined : text)
  return bytes
}

/** The same with all its headers in one piece. */
function writePlain(res: ServerResponse, requestId: string, text: string, type: string): number {
  const bytes = Buffer.byteLength(text)
  res.writeHead(200, [
    ...defaults,
    ...['x-request-id', requestId, 'content-type', `${type}; charset=utf-8`, 'content-length', String(bytes)],
  ])
  res.end(text)
  return bytes
}

/** Headers of every answer; the page of GraphiQL needs a policy of its own. */
const defaults: readonly string[] = [
  ...['x-content-type-options', 'nosniff'],
  ...['referrer-policy', 'no-referrer'],
  ...['x-frame-options', 'DENY'],
  ...['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ...['cache-control', 'no-store'],
  ...['vary', 'Origin'],
]

function secure(res: ServerResponse, requestId: string): void {
  res.setHeader('x-request-id', requestId)
  for (let i = 0; i < defaults.length; i += 2) res.setHeader(defaults[i] ?? '', defaults[i + 1] ?? '')
}
