import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import {
  createDecoder,
  type FromExecutor,
  maxBodyBytes,
  protocolVersion,
  type ToExecutor,
  type Welcome,
  writeFrame,
} from '../../../functions-runtime/protocol.ts'
import type { Log } from '../log.ts'

/** Whoever waits for the frames of one id. */
export type Listener = {
  take: (head: FromExecutor, body: Buffer) => void
  /** The executor is given that artefact, on behalf of whomever. */
  given?: ((hash: string) => void) | undefined
  /** No more will come, and why. */
  lost: (why: string) => void
}

/** The connection to one executor, which is made again whenever it is gone. */
export type Link = {
  url: string
  /** What the executor says of itself; null while it cannot be asked. */
  welcome: () => Welcome | null
  /** Why it cannot be asked, in words. */
  trouble: () => string | null
  send: (head: ToExecutor, body?: Buffer) => void
  listen: (id: string, listener: Listener) => void
  forget: (id: string) => void
  close: () => void
}

export type LinkOptions = { url: string; secret: string; log: Log; onReady: () => void }

const retryMs = { first: 100, most: 3_000 }
const connectMs = 5_000
/** More than a second of tries. */
const patientTries = 4

export function createLink({ url, secret, log, onReady }: LinkOptions): Link {
  const listeners = new Map<string, Listener>()
  let socket: Socket | null = null
  let welcome: Welcome | null = null
  let trouble: string | null = 'It has not been reached yet.'
  let closed = false
  let failures = 0
  let timer: NodeJS.Timeout | undefined

  const drop = (why: string) => {
    // Told once, not at each try; of one that was never there not before a while, for it may be starting too.
    if ((welcome || failures === patientTries) && !closed)
      log.warn({ url, why }, 'an executor of functions cannot be asked')
    trouble = why
    welcome = null
    socket = null
    const waiting = [...listeners.values()]
    listeners.clear()
    for (const { lost } of waiting) lost('Its executor went away during the run.')
    if (closed) return
    timer = setTimeout(connect, Math.min(retryMs.first * 2 ** failures, retryMs.most)).unref()
    failures += 1
  }
  const take = (head: FromExecutor, body: Buffer) => {
    if (head.kind === 'welcome') {
      if (head.version !== protocolVersion) return void socket?.destroy(new Error('It speaks another version.'))
      welcome = head
      trouble = null
      failures = 0
      return onReady()
    }
    if (head.kind === 'leaving') {
      welcome = null
      trouble = 'It is leaving.'
      return
    }
    listeners.get(head.id)?.take(head, body)
  }
  const spoilt = (head: FromExecutor, error: unknown) => {
    const { kind, id } = Object(head)
    log.error({ err: error, url, kind, id }, 'what an executor said could not be taken; its run has ended')
    const listener = listeners.get(id)
    if (!listener) return
    listeners.delete(id)
    send({ kind: 'cancel', id })
    listener.lost('What its executor said of it could not be taken.')
  }
  const send: Link['send'] = (head, body) => {
    if (!socket) return
    if (head.kind === 'artefact' && !head.isMissing) for (const { given } of listeners.values()) given?.(head.hash)
    writeFrame(socket, head, body)
  }
  const connect = () => dial(url, secret, { attach, fail: drop })
  const attach = (upgraded: Socket, first: Buffer) => {
    if (closed) return void upgraded.destroy()
    socket = upgraded
    readFrames(upgraded, first, { take, spoilt, end: drop })
  }
  connect()
  return {
    url,
    welcome: () => welcome,
    trouble: () => trouble,
    send,
    listen: (id, listener) => void listeners.set(id, listener),
    forget: (id) => void listeners.delete(id),
    close: () => {
      closed = true
      clearTimeout(timer)
      socket?.destroy()
    },
  }
}

/** Sends the bytes of an artefact, or that they are gone. */
export async function giveArtefact(link: Link, hash: string, read: () => Promise<Buffer | null>): Promise<void> {
  const bytes = await read().catch(() => null)
  const isMissing = bytes === null || bytes.length > maxBodyBytes
  link.send({ kind: 'artefact', hash, isMissing }, (!isMissing && bytes) || undefined)
}

type Dialled = { attach: (socket: Socket, first: Buffer) => void; fail: (why: string) => void }

/** Asks for the upgrade. Exactly one of both is called. */
function dial(url: string, secret: string, { attach, fail }: Dialled): void {
  const target = new URL('/executor', url)
  const open = target.protocol === 'https:' ? requestHttps : requestHttp
  const headers = { connection: 'upgrade', upgrade: 'tendril-executor', authorization: `Bearer ${secret}` }
  const req = open(target, { headers, timeout: connectMs, agent: false })
  req.once('timeout', () => req.destroy(new Error('It did not answer in time.')))
  req.once('error', (error) => fail(inWords(error)))
  req.once('response', (res) => {
    req.removeAllListeners('error').on('error', () => {})
    req.destroy()
    fail(res.statusCode === 401 ? 'It does not take EXECUTOR_SECRET.' : `It answered ${res.statusCode}.`)
  })
  req.once('upgrade', (_res, socket, first) => attach(socket as Socket, first))
  req.end()
}

type Reader = {
  take: (head: FromExecutor, body: Buffer) => void
  /** Told of a frame at which `take` threw. Those of others go on. */
  spoilt: (head: FromExecutor, error: unknown) => void
  end: (why: string) => void
}

function readFrames(socket: Socket, first: Buffer, { take, spoilt, end }: Reader): void {
  const decode = createDecoder<FromExecutor>()
  let why = 'The connection was closed.'
  const read = (bytes: Buffer) => {
    let frames: ReturnType<typeof decode> = []
    try {
      frames = decode(bytes)
    } catch (error) {
      // Where the next one begins cannot be known.
      socket.destroy(error as Error)
    }
    for (const { head, body } of frames) {
      try {
        take(head, body)
      } catch (error) {
        spoilt(head, error)
      }
    }
  }
  socket.setNoDelay(true).setKeepAlive(true, 10_000).setTimeout(0)
  socket.on('data', read)
  socket.on('error', (error) => {
    why = inWords(error)
  })
  socket.once('end', () => socket.destroy())
  socket.once('close', () => end(why))
  if (first.length > 0) read(first)
}

function inWords(error: Error & { code?: string }): string {
  if (error.code === 'ECONNREFUSED') return 'The connection was refused.'
  return error.code ? `The connection failed: ${error.code}.` : error.message
}
