/** A function's own URL: any method, path, query, headers and body go to it, and what it answers goes back as it comes. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { App } from '../app.ts'
import { authenticate } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { Conflict, NotFound, Unauthenticated, Unavailable } from '../errors.ts'
import type { Host } from '../modules/domains/hosts.ts'
import { callableFunction } from '../modules/executions/executions.ts'
import type { FunctionRequest } from '../modules/executions/request.ts'
import { runFunction } from '../modules/executions/run.ts'
import { noFunction } from '../modules/functions/functions.ts'
import { type FunctionPlan, findPlanToRun } from '../modules/functions/plans.ts'
import { createAnswer } from './function-answer.ts'
import { isOurs, passedHeaders } from './function-headers.ts'
import { limits } from './limits.ts'
import type { Load } from './load.ts'
import { readBytes } from './request.ts'

type Parts = {
  app: App
  load: Load
  addressOf: (req: IncomingMessage) => string
  /** Runs that go on behind their answer. */
  behind: Set<Promise<unknown>>
}
type Exchange = { req: IncomingMessage; res: ServerResponse; requestId: string }

/**
 * Which function, and of which project it has to be; what of the URL it sees; and where it stands on an origin that others
 * have, too: null on a domain of its own.
 */
export type Called = { functionId: string; projectId: string | null; url: string; path: string | null }

const form = /^\/functions\/([\w-]{1,64})(\/[^?#]*)?(\?.*)?$/

/** Null for a URL that is none of a function. A domain that leads to a function leads nowhere else; others, to those of their project. */
export function calledBy(url: string, host: Host | null): Called | null {
  const projectId = host?.projectId ?? null
  if (host?.functionId && url.startsWith('/')) return { functionId: host.functionId, projectId, url, path: null }
  const [, functionId, path = '/', search = ''] = form.exec(url) ?? []
  return functionId ? { functionId, projectId, url: `${path}${search}`, path: `/functions/${functionId}` } : null
}

export function createFunctionRoute(parts: Parts): (exchange: Exchange, called: Called) => Promise<void> {
  const { app } = parts
  const seats = createSeats()
  return async (exchange, called) => {
    const { req, res } = exchange
    if (isPreflight(req)) tellPreflight(req, res)
    const found = await findPlanToRun(app, called.functionId)
    const plan = called.projectId === null || found?.projectId === called.projectId ? found : null
    if (plan) await parts.load.turn(plan.projectId)
    const entered = plan && (await enter(parts, exchange, plan))
    if (isPreflight(req) && !entered) return void res.writeHead(204).end()
    if (!plan || !entered) throw noFunction()
    parts.load.admit(entered)
    const seat = seats.of(plan.projectId)
    try {
      await call(parts, exchange, called, { ctx: entered, plan, takeSeat: seat.take })
    } finally {
      seat.leave()
    }
  }
}

/**
 * The caller, if they may run the function; null if for them there is none. Whoever brings a credential that is not valid
 * hears so of a function that everybody may run; of another one they hear nothing.
 */
async function enter({ app, addressOf }: Parts, { req, requestId }: Exchange, plan: FunctionPlan) {
  const { authorization } = req.headers
  const credentials = {
    projectId: plan.projectId,
    authorization: authorization !== undefined && isOurs(authorization) ? authorization : null,
    requestId,
    ip: addressOf(req),
    userAgent: String(req.headers['user-agent'] ?? '').slice(0, 512),
  }
  try {
    const ctx = await authenticate(app, credentials)
    await callableFunction(ctx, plan.id)
    return ctx
  } catch (error) {
    if (error instanceof NotFound) return null
    if (error instanceof Conflict)
      throw new Unavailable('There is nothing to run here at the moment.', { retryAfterMs: 5_000 })
    if (error instanceof Unauthenticated && !plan.execute.includes('any')) return null
    throw error
  }
}

type Entered = {
  ctx: Context
  plan: FunctionPlan
  /** Throws where there is none. */
  takeSeat: () => void
}

/** Runs the function for one request. Whoever goes away before the answer is there ends the run. */
async function call(
  { app, addressOf, behind }: Parts,
  exchange: Exchange,
  called: Called,
  { ctx, plan, takeSeat }: Entered,
): Promise<void> {
  const { req, res, requestId } = exchange
  const body = hasBody(req) ? await readBody(req, takeSeat) : Buffer.alloc(0)
  takeSeat()
  const protocol = called.path === null ? 'https' : new URL(app.env.PUBLIC_URL).protocol.replace(':', '')
  const headers = passedHeaders(req, { requestId, ip: addressOf(req), protocol })
  const request: FunctionRequest = { method: req.method ?? 'GET', url: called.url, headers, body }
  const gone = new AbortController()
  const leave = () => gone.abort()
  res.once('close', leave)
  const over = Promise.withResolvers<void>()
  const onDone = () => {
    res.off('close', leave)
    behind.add(over.promise)
  }
  const answer = createAnswer(res, { requestId, path: called.path }, { cancel: leave, onDone })
  const { signal } = gone
  try {
    const { onBegin, stream } = answer
    const outcome = await runFunction(ctx, plan, { trigger: 'HTTP', request, onBegin, stream, signal })
    answer.end(outcome)
  } finally {
    res.off('close', leave)
    behind.delete(over.promise)
    over.resolve()
    app.meter.request(plan.projectId, body.length, answer.bytes())
  }
}

function readBody(req: IncomingMessage, takeSeat: () => void): Promise<Buffer> {
  return readBytes(req, limits.functionBodyBytes, (size) => {
    if (size > limits.functionBodyAheadBytes) takeSeat()
  })
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/** What a browser asks before it lets a page of another origin ask. It brings no credential. */
function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/** Pages that may use the API may ask, unless a function that guests may run says something else. */
function tellPreflight({ headers }: IncomingMessage, res: ServerResponse): void {
  if (!res.hasHeader('access-control-allow-origin')) return
  res.setHeader('access-control-allow-methods', String(headers['access-control-request-method']))
  const asked = headers['access-control-request-headers']
  if (asked !== undefined) res.setHeader('access-control-allow-headers', asked)
}

/** How many calls of a project a node has at a time. Each may hold as much as a body and an answer. */
function createSeats() {
  const taken = new Map<string, number>()
  let all = 0
  return {
    /** A seat that is taken once, by a call of this project. */
    of: (projectId: string) => {
      let isTaken = false
      const take = () => {
        if (isTaken) return
        const own = taken.get(projectId) ?? 0
        const { ofProject, ofNode } = limits.functionCalls
        if (own >= ofProject || all >= ofNode) {
          const message = 'Too many calls of functions run at the moment. Try again.'
          throw new Unavailable(message, { retryAfterMs: limits.load.retryAfterMs })
        }
        isTaken = true
        all += 1
        taken.set(projectId, own + 1)
      }
      const leave = () => {
        if (!isTaken) return
        all -= 1
        const left = (taken.get(projectId) ?? 1) - 1
        if (left > 0) taken.set(projectId, left)
        else taken.delete(projectId)
      }
      return { take, leave }
    },
  }
}
