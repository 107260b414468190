import { lookup as resolveName } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import ipaddr from 'ipaddr.js'
import { Agent, errors, request } from 'undici'
import { redirected, redirectOf, withoutConnectionHeaders } from './redirects.ts'

type Range = ReturnType<typeof ipaddr.parseCIDR>
type Address = { address: string; family: number }
type Resolve = (name: string) => Promise<readonly Address[]>

export type Call = {
  method: string
  url: string
  headers?: Record<string, string>
  body?: string | undefined
  timeoutMs?: number
  /** False takes whatever certificate an https address shows. */
  verifyTls?: boolean
  signal?: AbortSignal
}

/** What came back. The body is cut where it grows over the limit; a redirect is an answer like any other. */
export type Reply = { status: number; headers: Record<string, string | string[] | undefined>; body: string }

/** A call as programs make it: bytes both ways, and redirects followed where they are to be. */
export type FetchCall = {
  method: string
  url: string
  headers: readonly (readonly [string, string])[]
  body: Buffer
  redirect: 'follow' | 'manual' | 'error'
  timeoutMs: number
  signal: AbortSignal
}

export type Fetched = {
  status: number
  statusText: string
  /** Where it came from in the end. */
  url: string
  isRedirected: boolean
  headers: [string, string][]
  body: Buffer
}

/** The one door for HTTP to addresses that users give. Throws EgressRefused or EgressFailed, both in words for the user. */
export type Egress = {
  send: (call: Call) => Promise<Reply>
  fetch: (call: FetchCall) => Promise<Fetched>
  close: () => Promise<void>
}

export class EgressRefused extends Error {}
export class EgressFailed extends Error {}

const maxBodyBytes = 64 * 1024
export const maxFetchedBytes = 10 * 1024 * 1024
export const maxRedirects = 5
const maxHeaders = 64
const maxHeaderCharacters = 1_024

/**
 * Reaches public addresses, and private ones in `allow` (CIDR). A name is resolved here, once for each connection; every
 * address is checked, and the one that was checked is the one that is connected to: no second lookup can move it.
 */
export function createEgress(allow: readonly string[], resolve: Resolve = resolveAll): Egress {
  const ranges = allow.map(parseRange)
  const lookup = guardedLookup(ranges, resolve)
  const agentOf = (rejectUnauthorized: boolean) =>
    new Agent({
      connect: { lookup, timeout: 10_000, rejectUnauthorized },
      connections: 20,
      pipelining: 1,
      maxHeaderSize: 16 * 1024,
      maxResponseSize: -1,
    })
  // A connection whose certificate nobody looked at is never used for a call that wants it checked.
  const [checking, trusting] = [agentOf(true), agentOf(false)]
  return {
    send: (call) => send(call.verifyTls === false ? trusting : checking, ranges, call),
    fetch: (call) => follow(checking, ranges, call),
    close: async () => {
      await Promise.all([checking.destroy(), trusting.destroy()])
    },
  }
}

async function send(agent: Agent, ranges: readonly Range[], call: Call): Promise<Reply> {
  const url = parseTarget(call.url)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // A literal address never passes the lookup. The URL parser has already turned 0x7f.1 and 2130706433 into dotted form.
  if (isIP(host)) requireAllowed(host, ranges)
  const timeout = AbortSignal.timeout(call.timeoutMs ?? 15_000)
  const signal = call.signal ? AbortSignal.any([timeout, call.signal]) : timeout
  try {
    const { method, headers = {}, body = null } = call
    const reply = await request(url, { dispatcher: agent, method: method as 'GET', headers, body, signal })
    return { status: reply.statusCode, headers: reply.headers, body: await readBody(reply.body) }
  } catch (error) {
    if (call.signal?.aborted) throw call.signal.reason
    throw inWords(error, timeout)
  }
}

/** Every hop is an address like the first, and checked like it. */
async function follow(agent: Agent, ranges: readonly Range[], call: FetchCall): Promise<Fetched> {
  let hop = { ...call, headers: withoutConnectionHeaders(call.headers) }
  for (let hops = 0; ; hops += 1) {
    const fetched = await fetchOnce(agent, ranges, hop)
    const location = redirectOf(fetched.status, fetched.headers)
    if (!location || call.redirect === 'manual') return { ...fetched, isRedirected: hops > 0 }
    if (call.redirect === 'error') throw new EgressFailed('The address redirects.')
    if (hops === maxRedirects) throw new EgressFailed(`The address redirects more than ${maxRedirects} times.`)
    const next = redirected(hop, fetched.status, location)
    if (!next) throw new EgressFailed('The address redirects to no address.')
    hop = next
  }
}

async function fetchOnce(agent: Agent, ranges: readonly Range[], call: FetchCall): Promise<Fetched> {
  const url = parseTarget(call.url)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) requireAllowed(host, ranges)
  const timeout = AbortSignal.timeout(call.timeoutMs)
  try {
    const reply = await request(url, {
      dispatcher: agent,
      method: call.method as 'GET',
      headers: call.headers.flat(),
      body: call.body.length > 0 ? call.body : null,
      signal: AbortSignal.any([timeout, call.signal]),
    })
    const unpack = call.method === 'HEAD' ? undefined : unpackers.get(String(reply.headers['content-encoding']))
    const body = await readWhole(reply.body, unpack)
    // What tells of the packed bytes is not true of these: whoever hands the answer on would say that it is packed.
    const headers = Object.entries(reply.headers)
      .filter(([name]) => !unpack || !/^content-(encoding|length)$/.test(name))
      .flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]))
    const { statusCode: status, statusText } = reply
    return { status, statusText, url: url.href, isRedirected: false, headers, body }
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason
    throw inWords(error, timeout)
  }
}

type Unpack = (bytes: Buffer, options: object) => Promise<Buffer>

async function readWhole(body: AsyncIterable<Buffer>, unpack: Unpack | undefined): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size > maxFetchedBytes) throw new EgressFailed('The answer is larger than 10 MB.')
  }
  if (!unpack || size === 0) return Buffer.concat(parts)
  return unpack(Buffer.concat(parts), { maxOutputLength: maxFetchedBytes }).catch(() => {
    throw new EgressFailed('The answer cannot be unpacked, or is larger than 10 MB.')
  })
}

const unpackers = new Map([
  ['gzip', promisify<Buffer, object, Buffer>(gunzip)],
  ['deflate', promisify<Buffer, object, Buffer>(inflate)],
  ['br', promisify<Buffer, object, Buffer>(brotliDecompress)],
])

/** Says what is wrong with an address that a user gives, before it is ever called. Answers null when nothing is. */
export function whyNotCallable(text: string): string | null {
  try {
    parseTarget(text)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function parseTarget(text: string): URL {
  const url = URL.parse(text)
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new EgressRefused('The address must be a URL that begins with http:// or https://.')
  }
  if (url.username || url.password) throw new EgressRefused('The address must not hold a user name or password.')
  return url
}

function guardedLookup(ranges: readonly Range[], resolve: Resolve): LookupFunction {
  return (name, options, done) => {
    allowedAddresses(name, ranges, resolve).then(
      ([first, ...others]) => (options.all ? done(null, [first, ...others]) : done(null, first.address, first.family)),
      (error) => done(error, '', 0),
    )
  }
}

async function allowedAddresses(
  name: string,
  ranges: readonly Range[],
  resolve: Resolve,
): Promise<[Address, ...Address[]]> {
  const addresses = await resolve(name).catch(() => {
    throw new EgressFailed(`The name ${name} cannot be resolved.`)
  })
  // One bad address spoils the name: which of them would be used is not ours to say.
  for (const { address } of addresses) requireAllowed(address, ranges)
  const [first, ...others] = addresses
  if (!first) throw new EgressFailed(`${name} has no address.`)
  return [first, ...others]
}

/** For what is no HTTP: one address of a server, checked by the same rules. Whoever asks connects to it, not to the name. */
export function createPin(allow: readonly string[], resolve: Resolve = resolveAll): (host: string) => Promise<string> {
  const ranges = allow.map(parseRange)
  return async (host) => {
    if (isIP(host) === 0) return (await allowedAddresses(host, ranges, resolve))[0].address
    requireAllowed(host, ranges)
    return host
  }
}

function resolveAll(name: string): ReturnType<Resolve> {
  return new Promise((done, fail) => {
    resolveName(name, { all: true }, (error, addresses) => (error ? fail(error) : done(addresses)))
  })
}

function requireAllowed(address: string, ranges: readonly Range[]): void {
  if (!isAllowed(address, ranges)) throw refusal(address)
}

function refusal(address: string): EgressRefused {
  return new EgressRefused(`${address} is not a public address; the operator can allow it with EGRESS_ALLOW.`)
}

/** Public unicast, whatever an IPv6 form wraps, or in one of the allowed ranges. */
export function isAllowed(text: string, ranges: readonly Range[]): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  if (ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits))) return true
  return address.range() === 'unicast'
}

function parseRange(text: string): Range {
  try {
    return ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`)
  } catch {
    throw new Error(`EGRESS_ALLOW holds “${text}”, which is not an address range (CIDR).`)
  }
}

async function readBody(body: AsyncIterable<Buffer> & { destroy: () => unknown }): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size >= maxBodyBytes) break
  }
  return Buffer.concat(parts).subarray(0, maxBodyBytes).toString('utf8').replaceAll('\0', '\uFFFD')
}

function inWords(error: unknown, timeout: AbortSignal): Error {
  if (error instanceof EgressRefused || error instanceof EgressFailed) return error
  if (timeout.aborted || error instanceof errors.ConnectTimeoutError)
    return new EgressFailed('There was no answer in time.')
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const words = reasons[code] ?? 'The request failed.'
  return new EgressFailed(words, { cause: error })
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'The connection was refused.',
  ECONNRESET: 'The connection was reset.',
  EHOSTUNREACH: 'The host cannot be reached.',
  ENETUNREACH: 'The network cannot be reached.',
  UND_ERR_SOCKET: 'The connection was closed before the answer was complete.',
  UND_ERR_HEADERS_OVERFLOW: 'The headers of the answer are too large.',
  CERT_HAS_EXPIRED: 'The certificate has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is self-signed.',
  SELF_SIGNED_CERT_IN_CHAIN: 'A certificate in the chain is self-signed.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The certificate cannot be verified.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'The certificate cannot be verified.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another name.',
}

/** The headers of an answer, as they are kept: so many, and none that is long. */
export function shortened({ headers }: Reply): Record<string, string> {
  const entries = Object.entries(headers).slice(0, maxHeaders)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, [value].flat().join(', ').slice(0, maxHeaderCharacters)]),
  )
}
