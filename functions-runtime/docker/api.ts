/** The Docker Engine API, as far as it is needed here: JSON, streams both ways, and the attached streams of a container. */
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps, type RequestOptions as TlsOptions } from 'node:https'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'

/** The oldest version of the API that has all that is asked of it: that of Docker 20.10. */
const version = '/v1.41'

/** What the engine answered to what it refused, or `status` 0 where it could not be asked at all. */
export class DockerError extends Error {
  readonly status: number
  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.status = status
  }
}

export type DockerApi = {
  /** `unix:///var/run/docker.sock`, as it was configured. */
  readonly url: string
  /** Sends JSON, answers JSON (or null where nothing came). Throws DockerError. */
  ask: <T = null>(method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<T>
  /** Sends a tar, answers what the engine says of it as it comes, one JSON each line. */
  send: (method: string, path: string, body: Readable | Buffer | null, signal?: AbortSignal) => Promise<IncomingMessage>
  /** A connection that the engine has given up to the streams of a container. */
  hijack: (path: string, body?: unknown) => Promise<Duplex>
}

type Target = TlsOptions & { send: typeof requestHttp }

/** `certificates`: a folder with ca.pem, cert.pem and key.pem, for an engine that is reached by TLS. */
export function createDockerApi(url: string, certificates: string | null = null): DockerApi {
  const target = targetOf(url, certificates)
  const open: Open = (method, path, headers, signal) => {
    const { send, ...options } = target
    // A socket has no name. Where there is one, TLS looks for it in the engine's certificate.
    const named = options.socketPath ? { host: 'docker', ...headers } : headers
    return send({ ...options, method, path: version + path, headers: named, ...(signal ? { signal } : {}) })
  }
  return {
    url,
    ask: async (method, path, body, signal) => {
      const text = body === undefined ? null : JSON.stringify(body)
      const response = await exchange(url, open, method, path, text, signal)
      const answer = await readText(response)
      return answer.trim() ? JSON.parse(answer) : null
    },
    send: (method, path, body, signal) => exchange(url, open, method, path, body, signal),
    hijack: (path, body) => upgrade(url, open, path, body),
  }
}

type Open = (
  method: string,
  path: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
) => ReturnType<typeof requestHttp>

function targetOf(url: string, certificates: string | null): Target {
  if (url.startsWith('unix://')) {
    return { socketPath: url.slice('unix://'.length), send: requestHttp }
  }
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed?.protocol !== 'tcp:' || !parsed.hostname) {
    throw new Error(`A Docker host is unix:///path or tcp://host:port, not ${JSON.stringify(url)}.`)
  }
  const address = { host: parsed.hostname, port: parsed.port || (certificates ? '2376' : '2375') }
  if (!certificates) return { ...address, send: requestHttp }
  const read = (name: string) => readFileSync(join(certificates, name))
  return { ...address, ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem'), send: requestHttps }
}

function unreachable(url: string, error: Error): DockerError {
  return new DockerError(0, `No Docker Engine answers at ${url}: ${error.message}`, error)
}

function exchange(
  url: string,
  open: Open,
  method: string,
  path: string,
  body: string | Readable | Buffer | null,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const type = typeof body === 'string' ? 'application/json' : 'application/x-tar'
    const request = open(method, path, body === null ? {} : { 'content-type': type }, signal)
    request.on('error', (error) => reject(signal?.aborted ? signal.reason : unreachable(url, error)))
    request.on('response', (response) => {
      if ((response.statusCode ?? 500) < 400) resolve(response)
      else refused(response).then(reject, reject)
    })
    if (body === null || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body ?? undefined)
    else body.on('error', (error) => request.destroy(error)).pipe(request)
  })
}

function upgrade(url: string, open: Open, path: string, body: unknown): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = { connection: 'Upgrade', upgrade: 'tcp', 'content-type': 'application/json' }
    const request = open('POST', path, headers)
    request.on('error', (error) => reject(unreachable(url, error)))
    request.on('response', (response) => refused(response).then(reject, reject))
    request.on('upgrade', (_response, socket, head) => {
      if (head.length) socket.unshift(head)
      resolve(socket)
    })
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

async function refused(response: IncomingMessage): Promise<DockerError> {
  const text = await readText(response)
  return new DockerError(
    response.statusCode ?? 500,
    messageOf(text) || `The Docker Engine answered ${response.statusCode}.`,
  )
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    return text.trim()
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part)
  return Buffer.concat(parts).toString()
}
