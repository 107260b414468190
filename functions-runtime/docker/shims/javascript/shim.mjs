/** Runs functions in a container, one at a time, in Node, Deno and Bun: frames come on standard input and go on descriptor 4 (frames.ts). */
import { Buffer } from 'node:buffer'
import { openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { format, inspect } from 'node:util'

const target = openSync('/dev/fd/4', 'w')
const known = { ...process.env }
const waiting = new Map()
let calls = 0
let current
let loading
/** Of the run: aborted when nobody waits for its answer any more. */
let leaving = new AbortController()

function send(head, body = Buffer.alloc(0)) {
  const text = Buffer.from(JSON.stringify(head))
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(text.length, 0)
  lengths.writeUInt32BE(body.length, 4)
  const bytes = Buffer.concat([lengths, text, body])
  for (let at = 0; at < bytes.length; ) at += writeSync(target, bytes, at)
}

function say(level, values) {
  const text = values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ')
  for (const line of text.split('\n')) sayLine(level, line)
}

function sayLine(level, line) {
  send({ kind: 'log', level, text: line.slice(0, 10_000) })
}

/** What is printed becomes lines of the log. */
function lines(level) {
  let rest = ''
  flushes.push(() => {
    if (rest) sayLine(level, rest)
    rest = ''
  })
  return (chunk, encoding, done) => {
    const all = (rest + Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')).split('\n')
    rest = all.pop()
    for (const line of all) sayLine(level, line)
    const then = typeof encoding === 'function' ? encoding : done
    then?.()
    return true
  }
}

const flushes = []
process.stdout.write = lines('log')
process.stderr.write = lines('error')
for (const name of ['log', 'info', 'debug']) console[name] = (...values) => say('log', [format(...values)])
for (const name of ['error', 'warn', 'trace']) console[name] = (...values) => say('error', [format(...values)])

/** Asks the broker, through the executor. */
function call(head, body) {
  calls += 1
  const number = calls
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve, reject })
    send({ ...head, call: number }, body)
  })
}

/** What the API has answered with errors. */
class GraphqlError extends Error {
  constructor(errors, data) {
    super(errors.map(({ message }) => message).join('\n'))
    Object.assign(this, { name: 'GraphqlError', errors, data })
  }
}

async function graphql(query, variables = {}) {
  // Documents of code generators are strings, objects with a toString, or parsed documents with their text in `loc`.
  const text = query?.loc?.source?.body ?? String(query)
  const { body } = await call({ kind: 'graphql', query: text, variables })
  const { data, errors } = JSON.parse(body.toString())
  if (errors?.length > 0) throw new GraphqlError(errors, data)
  return data
}

async function fetchByBroker(input, init) {
  const request = new Request(input, init)
  const bytes = request.body ? Buffer.from(await request.arrayBuffer()) : Buffer.alloc(0)
  const { method, url, redirect } = request
  const { status, headers, body } = await call(
    { kind: 'fetch', method, url, redirect, headers: Object.fromEntries(request.headers) },
    bytes,
  )
  const { 'set-cookie': cookies = '', ...others } = headers
  const all = new Headers(others)
  for (const cookie of cookies.split('\n')) if (cookie) all.append('set-cookie', cookie)
  return new Response([101, 204, 205, 304].includes(status) ? null : body, { status, headers: all })
}
globalThis.fetch = fetchByBroker

/** As an isolate takes them: several cookies are one value too, a line each. */
function headersOf(given) {
  const isList = typeof given[Symbol.iterator] === 'function'
  const headers = new Headers()
  for (const [name, value] of isList ? given : Object.entries(given)) {
    if (value === undefined || value === null) continue
    const text = Array.isArray(value) ? value.join(', ') : String(value)
    for (const one of /^set-cookie$/i.test(name) ? text.split('\n') : [text]) headers.append(name, one)
  }
  return headers
}

/** `made` gets every answer that was made with it. */
function createRes(made) {
  const make = (body, status, type, given = {}) => {
    const headers = headersOf(given)
    if (type && !headers.has('content-type')) headers.set('content-type', type)
    const response = new Response([204, 205, 304].includes(status) ? null : body, { status, headers })
    made.push(response)
    return response
  }
  return {
    json: (value, status = 200, headers) => make(JSON.stringify(value) ?? 'null', status, 'application/json', headers),
    text: (text, status = 200, headers) => make(String(text), status, 'text/plain; charset=utf-8', headers),
    binary: (bytes, status = 200, headers) => make(bytes, status, 'application/octet-stream', headers),
    empty: (status = 204, headers) => make(null, status, null, headers),
    redirect: (url, status = 302, headers) => make(null, status, null, { ...headers, location: String(url) }),
  }
}

/** The same as the web's own Request, for programs written for it. */
function requestOf({ method, url, headers }, body) {
  const hasBody = body.length > 0 && !/^(get|head)$/i.test(method)
  const address = url.startsWith('/') ? `https://${headers.host ?? 'localhost'}${url}` : url
  return new Request(address, { method, headers, signal: leaving.signal, ...(hasBody ? { body } : {}) })
}

function contextOf(head, body, made) {
  const { method, url, headers, variables } = head
  // What a run leaves behind is no part of the next.
  const isOwn = () => current === head.id
  const tell = (level, values) => isOwn() && say(level, values)
  const asking =
    (ask) =>
    async (...given) => {
      if (!isOwn()) throw new Error('The run is over.')
      return ask(...given)
    }
  const [path, search = ''] = url.split(/\?(.*)/s)
  const bytes = new Uint8Array(body)
  const req = {
    ...{ method, url, path, headers, query: Object.fromEntries(new URLSearchParams(search)) },
    signal: leaving.signal,
    ...{ text: async () => body.toString(), json: async () => JSON.parse(body.toString()) },
    ...{ bytes: async () => bytes, arrayBuffer: async () => bytes.buffer },
  }
  return {
    ...{ req, res: createRes(made), env: { ...variables }, graphql: asking(graphql), fetch: asking(fetchByBroker) },
    ...{ log: (...values) => tell('log', values), error: (...values) => tell('error', values) },
    get request() {
      return requestOf(head, body)
    },
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Whichever way the program is written: the contract's function, `fetch` as other platforms have it, or one by method. */
function callProgram(module, head, body, { made, later }) {
  // A module of CommonJS, which is its own default export, may have one, too. Routers seem to have a property of any name.
  const own = module.default
  const main = typeof own === 'object' && own && Object.hasOwn(own, 'default') ? own.default : own
  if (typeof main === 'function') return main(contextOf(head, body, made))
  const env = { ...head.variables }
  const waiting = { waitUntil: (one) => void later.push(handled(one)), passThroughOnException: () => {} }
  const due = head.headers['tendril-scheduled-at']
  const scheduled = typeof main === 'object' && main && 'scheduled' in main ? main.scheduled : module.scheduled
  if (due !== undefined && typeof scheduled === 'function')
    return tick(scheduled.bind(main ?? module), due, env, waiting)
  const method = head.method.toUpperCase()
  const fetching = main?.fetch ?? module.fetch
  const other = fetching ?? module[method] ?? (method === 'HEAD' ? module.GET : undefined)
  const allowed = methods.filter((name) => typeof (fetching ?? module[name]) === 'function')
  if (allowed.length === 0) throw new TypeError(`${head.entrypoint} has no default export that is a function.`)
  // No Request can have one of these. Pages of other origins ask what they may before they do.
  if (typeof other !== 'function' || /^(CONNECT|TRACE|TRACK)$/.test(method)) {
    return new Response(null, { status: method === 'OPTIONS' ? 204 : 405, headers: { allow: allowed.join(', ') } })
  }
  return other.call(main ?? module, requestOf(head, body), env, waiting)
}

/** What other platforms call by the clock. It answers nothing. */
async function tick(scheduled, due, ...rest) {
  await scheduled({ type: 'scheduled', scheduledTime: Date.parse(due), noRetry: () => {} }, ...rest)
  return new Response(null, { status: 204 })
}

/** What goes wrong before it is waited for is told then. */
function handled(given) {
  const promise = Promise.resolve(given)
  promise.catch(() => {})
  return promise
}

function memoryBytes() {
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096
}

/** What `waitUntil` was given is waited for behind the answer. What goes wrong there is no matter of the answer. */
async function settle(head, body, later) {
  if (later.length === 0) return body
  send({ kind: 'held', ...head }, body)
  while (later.length > 0) {
    for (const one of await Promise.allSettled(later.splice(0))) {
      if (one.status === 'rejected') say('error', [one.reason])
    }
  }
  return undefined
}

async function answer(response, isStreamed, later) {
  const headers = Object.fromEntries(response.headers)
  // Several cookies are one value here, a line each.
  if (headers['set-cookie']) headers['set-cookie'] = response.headers.getSetCookie().join('\n')
  const head = { status: response.status, headers }
  if (!isStreamed || !response.body) {
    const body = Buffer.from(await response.arrayBuffer())
    return end({ kind: 'end', ...head }, await settle(head, body, later))
  }
  send({ kind: 'head', ...head })
  const reader = response.body.getReader()
  const { signal } = leaving
  const left = () => reader.cancel(signal.reason).catch((error) => say('error', [error]))
  signal.addEventListener('abort', left)
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    send({ kind: 'chunk' }, Buffer.from(step.value))
  }
  signal.removeEventListener('abort', left)
  return end({ kind: 'end', ...head }, await settle(head, undefined, later))
}

function end(head, body) {
  for (const flush of flushes) flush()
  send({ ...head, memoryBytes: memoryBytes() }, body)
}

function fail(reason, message, stack = null, isLast = false) {
  current = undefined
  const cut = (text) => text?.slice(0, 65_536) ?? null
  return end({ kind: 'failed', reason, message: cut(message), stack: cut(stack), isLast })
}

function shown(thrown) {
  try {
    return typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)
  } catch {
    return inspect(thrown)
  }
}

function threw(error, isLast) {
  if (!(error instanceof Error)) {
    return fail('THREW', `Thrown: ${shown(error)}`, null, isLast)
  }
  const here = `${process.cwd()}/`
  const own = String(error.stack)
    .split('\n')
    .filter((line) => !/\/tendril\/|process(Ticks|_)|ext:core|native:/.test(line))
  return fail(
    'THREW',
    `${error.name}: ${error.message}`,
    own.join('\n').replaceAll(`file://${here}`, '').replaceAll(here, ''),
    isLast,
  )
}

async function run(head, body) {
  current = head.id
  for (const name of Object.keys(process.env)) if (!(name in known)) delete process.env[name]
  Object.assign(process.env, known, head.variables)
  try {
    loading ??= import(pathToFileURL(join(process.cwd(), head.entrypoint)).href)
    const made = []
    const later = []
    leaving = new AbortController()
    const returned = await callProgram(await loading, head, body, { made, later })
    const response = returned ?? (made.length === 1 ? made[0] : undefined)
    if (current !== head.id) return
    if (!(response instanceof Response)) {
      const twice = 'The function answered twice.'
      fail(
        'INVALID_ANSWER',
        made.length > 1 ? twice : 'The function returned no answer: return res.json(…), another of res, or a Response.',
      )
      return
    }
    await answer(response, head.isStreamed, later)
    current = undefined
  } catch (error) {
    if (current === head.id) await threw(error)
  }
}

function take(head, body) {
  if (head.kind === 'run') return void run(head, body)
  if (head.kind === 'left')
    return leaving.abort(new DOMException('Nobody waits for the answer any more.', 'AbortError'))
  const { resolve, reject } = waiting.get(head.call) ?? {}
  waiting.delete(head.call)
  if (head.error === null) resolve?.({ ...head, body })
  else reject?.(Object.assign(new Error(head.error.message), { name: head.error.name }))
}

/** What was thrown where nobody waits for it ends the run, and this process with it. */
async function crash(error) {
  if (current) await threw(error, true)
  process.exit(1)
}
process.on('uncaughtException', crash)
process.on('unhandledRejection', crash)

let rest = Buffer.alloc(0)
// A file of its own would be read by a thread that the end of the process waits for.
process.stdin.on('data', (bytes) => {
  rest = rest.length ? Buffer.concat([rest, bytes]) : bytes
  while (rest.length >= 8) {
    const headEnd = 8 + rest.readUInt32BE(0)
    const end = headEnd + rest.readUInt32BE(4)
    if (rest.length < end) break
    take(JSON.parse(rest.toString('utf8', 8, headEnd)), rest.subarray(headEnd, end))
    rest = rest.subarray(end)
  }
})
process.stdin.on('end', () => process.exit(0))
send({ kind: 'ready', hearsLeft: true })
