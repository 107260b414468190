import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type ExecutionArgs, type ExecutionResult, type GraphQLError, type GraphQLSchema, parse } from 'graphql'
import { CloseCode, makeServer, type Context as ProtocolContext, type Server } from 'graphql-ws'
import type { WebSocket } from 'ws'
import type { App } from '../app.ts'
import { authenticate } from '../authenticate.ts'
import type { Actor, Context } from '../context.ts'
import { Forbidden, LimitExceeded, NotFound, Unauthenticated, Unavailable } from '../errors.ts'
import type { Graphql } from '../server.ts'
import { feedTo, type Place } from './fed.ts'
import { limits } from './limits.ts'
import type { Load } from './load.ts'
import { maskError } from './mask.ts'
import { readOperation } from './operation.ts'
import type { Outlet } from './outlet.ts'
import { type Answer, cursorOf, cutOf, isRaw, isStream } from './stream.ts'
import { tracked } from './tracked.ts'

/** One WebSocket, and who is at its other end. */
export type Connection = {
  socket: WebSocket
  outlet: Outlet
  projectId: string
  ip: string
  userAgent: string
  /** What the upgrade's header said, until `connection_init` says better. */
  authorization: string | null
  /** Whose that is, as of `connection_init`. */
  caller: Actor | null
  /** Whether it is known who they are, if only that they are a guest: from then on it is counted what they send and get. */
  isKnown: boolean
  /** Who is to hear of a fresh credential: what it runs. */
  renewals: NonNullable<Context['renewals']>
  /** Of the last event that was sent, on whichever subscription. */
  cursor: string | undefined
  /** Operations that have not been answered yet; subscriptions are, once they stream. */
  running: number
  /** Ends what it runs, without waiting for its other end to agree that it is closed. */
  end: () => void
}

/** Our own close codes are those above 4000 that the protocol leaves free. */
export const slowConsumer = 4008

/** WebSocket's own: the server goes away, and the service is overloaded. Clients come back after both. */
export const goingAway = 1001
const tryAgainLater = 1013

export type Parts = { app: App; graphql: Graphql; load: Load; isLeaving: () => boolean }

/**
 * The protocol `graphql-transport-ws`, as far as it is about operations. graphql-ws keeps the order of messages; what an
 * operation is allowed and what it answers is decided where HTTP decides it.
 */
export function createProtocol(parts: Parts): Server<Connection> {
  return makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: limits.socketInitMs,
    onConnect: (protocol) => connect(parts, protocol),
    onSubscribe: (protocol, id, payload) => start(parts, protocol, id, payload),
    execute: answerOf,
    subscribe: answerOf,
    onNext: ({ extra }, _id, _payload, _args, result) => beforeNext(extra, result as ExecutionResult),
  })
}

/** Decides whether the socket stays for this result, and remembers its cursor. */
async function beforeNext(connection: Connection, result: ExecutionResult): Promise<void> {
  const cut = cutOf(result)
  if (cut instanceof Unauthenticated) return closeSocket(connection.socket, CloseCode.Forbidden, cut.message)
  if (!cut && (await isRead(connection))) {
    connection.cursor = cursorOf(result) ?? connection.cursor
    return
  }
  connection.cursor = cut?.cursor ?? connection.cursor
  closeSlow(connection)
}

/** Waits while too much waits for the other end; false when it does not get less in time. One large answer is no reason. */
async function isRead({ socket }: Connection): Promise<boolean> {
  const deadline = Date.now() + limits.socketBacklogMs
  while (socket.bufferedAmount > limits.socketBacklogBytes) {
    if (Date.now() > deadline) return false
    await wait(20)
  }
  return true
}

/** The close frame stands behind all that waits, so that the last cursor is the last that will have been read. */
export function closeSlow({ socket, cursor, end }: Connection): void {
  closeSocket(socket, slowConsumer, cursor === undefined ? 'Too slow.' : `Too slow. Last cursor: ${cursor}`)
  end()
}

/** A reason has 123 bytes at most. One that is longer would throw. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  socket.close(
    code,
    Buffer.from(reason)
      .subarray(0, 123)
      .toString()
      .replace(/\uFFFD+$/, ''),
  )
}

type Protocol = ProtocolContext<Record<string, unknown>, Connection>

/**
 * Takes the credential of a ping, for what runs and for what is still to come, and answers what the pong says; null for a
 * ping that brings none. It must be the same caller's: the socket stays what it was where it is not.
 */
export async function renew({ app }: Parts, connection: Connection, payload: unknown): Promise<Renewal | null> {
  const authorization = findAuthorization((payload ?? {}) as Record<string, unknown>)
  if (authorization === null) return null
  const requestId = randomUUID()
  try {
    const ask = (given: string | null) => authenticate(app, { ...connection, authorization: given, requestId })
    const renewed = await ask(authorization)
    if (!connection.caller || !isSame(connection.caller, renewed.actor))
      throw new Forbidden('This credential is of another caller. Connect again with it.')
    connection.authorization = authorization
    for (const tell of connection.renewals) tell({ ...renewed, renewals: connection.renewals })
    return { accepted: true }
  } catch (error) {
    const { message, extensions } = maskError(error, { requestId, log: app.log, metrics: app.metrics })
    return { accepted: false, code: String(extensions.code), message }
  }
}

export type Renewal = { accepted: true } | { accepted: false; code: string; message: string }

/** Keys are told apart by what they may do, event by event: one that replaces another is as good. */
function isSame(before: Actor, after: Actor | null): boolean {
  return before.kind === after?.kind && (before.kind === 'key' || before.id === after.id)
}

/** A credential that is not valid closes the socket at once, and a guest may stay. */
async function connect({ app }: Parts, { extra, connectionParams }: Protocol): Promise<boolean> {
  extra.authorization = findAuthorization(connectionParams) ?? extra.authorization
  const requestId = randomUUID()
  try {
    extra.caller = (await authenticate(app, { ...extra, requestId })).actor
    extra.isKnown = true
    app.meter.count(extra.projectId, 'connections.opened')
    return true
  } catch (error) {
    closeFor(error, extra, requestId, app)
    return false
  }
}

function findAuthorization(payload: Readonly<Record<string, unknown>> = {}): string | null {
  const key = Object.keys(payload).find((name) => name.toLowerCase() === 'authorization')
  const value = key === undefined ? null : payload[key]
  return typeof value === 'string' && value !== '' ? value : null
}

function closeFor(error: unknown, { socket }: Connection, requestId: string, { log, metrics }: App): void {
  const { message } = maskError(error, { requestId, log, metrics })
  const isRefused = error instanceof Unauthenticated || error instanceof NotFound
  closeSocket(socket, isRefused ? CloseCode.Forbidden : tryAgainLater, message)
}

/** Runs an operation before the protocol does: it only has to pass on what came of it. */
async function start(
  parts: Parts,
  protocol: Protocol,
  id: string,
  payload: unknown,
): Promise<Ran | readonly GraphQLError[]> {
  const { app, graphql, load, isLeaving } = parts
  const { extra, subscriptions } = protocol
  const requestId = randomUUID()
  extra.running += 1
  try {
    if (isLeaving()) throw new Unavailable('The server is going away. Connect again.')
    if (Object.keys(subscriptions).length > limits.socketOperations) {
      throw new LimitExceeded(`A socket may run ${limits.socketOperations} operations at a time.`)
    }
    await load.turn(extra.projectId)
    const operation = readOperation(payload)
    const ctx = { ...(await authenticate(app, { ...extra, requestId })), renewals: extra.renewals }
    load.admit(ctx)
    app.meter.request(ctx.projectId, 0, 0)
    const fed = await graphql.feed(ctx, operation)
    const transport = 'WEBSOCKET'
    if (fed) {
      const place = placeOf(extra, id)
      const { watch } = fed
      return answered(tracked(ctx, operation, feedTo(place, fed), { transport, watch, cursor: () => place.cursor }))
    }
    const ran = await load.run(ctx, (aside) =>
      graphql.run({ ...ctx, aside }, operation, ['query', 'mutation', 'subscription'], (results, watch) =>
        tracked(ctx, operation, results, { transport, watch }),
      ),
    )
    const answer: Answer = isRaw(ran) ? JSON.parse(ran.json) : ran
    if (!isStream(answer) && answer.data === undefined) return answer.errors ?? []
    return answered(answer)
  } catch (error) {
    // The session behind the socket is over, and so is the socket.
    if (error instanceof Unauthenticated || error instanceof NotFound) closeFor(error, extra, requestId, app)
    return [maskError(error, { requestId, log: app.log, metrics: app.metrics })]
  } finally {
    extra.running -= 1
  }
}

/** Where one subscription of a socket has come to; the socket has come at least so far. */
function placeOf(connection: Connection, id: string): Place {
  const head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`)
  let own: string | undefined
  return {
    outlet: connection.outlet,
    begin: () => {},
    // Of each message the envelope alone is made here.
    frame: ({ json }) => {
      const bytes = Buffer.allocUnsafe(head.length + json.length + 1)
      head.copy(bytes)
      json.copy(bytes, head.length)
      bytes[bytes.length - 1] = closingBrace
      return bytes
    },
    get cursor() {
      return own
    },
    set cursor(cursor) {
      own = cursor
      connection.cursor = cursor
    },
  }
}

const closingBrace = '}'.charCodeAt(0)

/** What graphql-ws takes for the arguments of an execution that has taken place. */
type Ran = ExecutionArgs & { answer: Answer }

const anyDocument = parse('{ answered }')
const noSchema = null as unknown as GraphQLSchema

function answered(answer: Answer): Ran {
  return { schema: noSchema, document: anyDocument, contextValue: null, rootValue: null, answer }
}

function answerOf(args: ExecutionArgs): Answer {
  return (args as Ran).answer
}
