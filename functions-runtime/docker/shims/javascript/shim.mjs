/** Runs functions in a container, one at a time, in Node, Deno and Bun: frames come on standard input and go on descriptor 4 (frames.ts). */
import { Buffer } from 'node:buffer'
import { openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'

const target = openSync('/dev/fd/4', 'w')
const known = { ...process.env }
const waiting = new Map()
let calls = 0
let current
let loading

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
  for (const line of text.split('\n')) send({ kind: 'log', level, text: line })
}

/** What is printed becomes lines of the log. */
function lines(level) {
  let rest = ''
  return (chunk, encoding, done) => {
    const all = (rest + Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')).split('\n')
    rest = all.pop()
    for (const line of all) send({ kind: 'log', level, text: line })
    const then = typeof encoding === 'function' ? encoding : done
    then?.()
    return true
  }
}

process.stdout.write = lines('log')
process.stderr.write = lines('error')
for (const name of ['log', 'info', 'debug']) console[name] = (...values) => say('log', values)
for (const name of ['error', 'warn', 'trace']) console[name] = (...values) => say('error', values)

/** Asks the broker, through the executor. */
function call(head, body) {
  calls += 1
  const number = calls
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve, reject })
    send({ ...head, call: number }, body)
  })
}

async function graphql(query, variables = {}) {
  return JSON.parse((await call({ kind: 'graphql', query: String(query), variables })).body.toString())
}

async function fetchByBroker(input, init) {
  const request = new Request(input, init)
  const body = request.body ? Buffer.from(await request.arrayBuffer()) : Buffer.alloc(0)
  const { method, url, headers } = request
  const reply = await call({ kind: 'fetch', method, url, headers: Object.fromEntries(headers) }, body)
  const isEmpty = [101, 204, 205, 304].includes(reply.status)
  return new Response(isEmpty ? null : reply.body, { status: reply.status, headers: reply.headers })
}
globalThis.fetch = fetchByBroker

const withType = (type, headers) => {
  const all = new Headers(headers)
  if (!all.has('content-type')) all.set('content-type', type)
  return all
}
const res = Object.freeze({
  json: (value, status = 200, headers = {}) =>
    new Response(JSON.stringify(value), { status, headers: withType('application/json', headers) }),
  text: (text, status = 200, headers = {}) =>
    new Response(String(text), { status, headers: withType('text/plain; charset=utf-8', headers) }),
  binary: (bytes, status = 200, headers = {}) =>
    new Response(bytes, { status, headers: withType('application/octet-stream', headers) }),
  empty: (status = 204, headers = {}) => new Response(null, { status, headers }),
  redirect: (url, status = 302, headers = {}) =>
    new Response(null, { status, headers: { ...headers, location: String(url) } }),
})

function requestOf(head, body) {
  const host = head.headers.host ?? 'function'
  const hasBody = !['GET', 'HEAD'].includes(head.method)
  const req = new Request(`http://${host}${head.url}`, {
    method: head.method,
    headers: head.headers,
    ...(hasBody ? { body } : {}),
  })
  const { pathname, searchParams } = new URL(req.url)
  return Object.defineProperties(req, {
    path: { value: pathname },
    query: { value: Object.fromEntries(searchParams) },
  })
}

async function load(entrypoint) {
  const module = await import(pathToFileURL(join(process.cwd(), entrypoint)).href)
  const found = module.default?.default ?? module.default ?? module.handler
  if (typeof found !== 'function') throw new TypeError(`${entrypoint} has no default export that is a function.`)
  return found
}

function memoryBytes() {
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096
}

async function answer(response, isStreamed) {
  const head = { status: response.status, headers: Object.fromEntries(response.headers) }
  if (!isStreamed || !response.body) {
    const body = Buffer.from(await response.arrayBuffer())
    return send({ kind: 'end', ...head, memoryBytes: memoryBytes() }, body)
  }
  send({ kind: 'head', ...head })
  for await (const chunk of response.body) send({ kind: 'chunk' }, Buffer.from(chunk))
  return send({ kind: 'end', ...head, memoryBytes: memoryBytes() })
}

function fail(reason, message, stack = null) {
  current = undefined
  return send({ kind: 'failed', reason, message, stack, memoryBytes: memoryBytes() })
}

function threw(error) {
  if (!(error instanceof Error)) return fail('THREW', String(error))
  const here = `${process.cwd()}/`
  const own = String(error.stack)
    .split('\n')
    .filter((line) => !/\/tendril\/|process(Ticks|_)|ext:core|native:/.test(line))
  return fail(
    'THREW',
    `${error.name}: ${error.message}`,
    own.join('\n').replaceAll(`file://${here}`, '').replaceAll(here, ''),
  )
}

async function run(head, body) {
  current = head.id
  for (const name of Object.keys(process.env)) if (!(name in known)) delete process.env[name]
  Object.assign(process.env, known, head.variables)
  try {
    loading ??= load(head.entrypoint)
    const context = {
      ...{ req: requestOf(head, body), res, env: { ...head.variables }, graphql, fetch: fetchByBroker },
      ...{ log: (...values) => say('log', values), error: (...values) => say('error', values) },
    }
    const response = await (await loading)(context)
    if (current !== head.id) return
    if (!(response instanceof Response)) {
      await fail('INVALID_ANSWER', `The function answered ${typeof response}, not a Response.`)
      return
    }
    await answer(response, head.isStreamed)
    current = undefined
  } catch (error) {
    if (current === head.id) await threw(error)
  }
}

function take(head, body) {
  if (head.kind === 'run') return void run(head, body)
  const { resolve, reject } = waiting.get(head.call) ?? {}
  waiting.delete(head.call)
  if (head.error === null) resolve?.({ ...head, body })
  else reject?.(new Error(head.error))
}

/** What was thrown where nobody waits for it ends the run, and this process with it. */
async function crash(error) {
  if (current) await threw(error)
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
send({ kind: 'ready' })
