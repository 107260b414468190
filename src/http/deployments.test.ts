import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { deploymentLimits } from '../modules/deployments/limits.ts'
import { appendSource } from '../modules/deployments/uploads.ts'
import { createFunction } from '../modules/functions/functions.ts'
import { eventually } from '../testing/receiver.ts'
import { createWorld, type World } from '../testing/world.ts'
import { limits } from './limits.ts'

let world: World
let api: Api
let owner: Context
let projectId: string
let functionId: string
let key: string
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
  ;({ owner, projectId } = await world.createProject())
  functionId = (await createFunction(owner, { name: 'f', runtime: 'typescript' })).id
  key = await createKey(['functions.read', 'functions.write'])
})
after(async () => {
  await api.close()
  await world.close()
})

async function createKey(scopes: string[]): Promise<string> {
  const secret = newSecret('key')
  await world.app.db.key.create({
    data: { id: newId('key'), projectId, name: secret.slice(-8), hash: hashSecret(secret), scopes },
  })
  return secret
}

const rows = () => world.app.db.deployment.count({ where: { projectId } })
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
/** A file that gzip does not make smaller. */
const archiveOf = (size: number) => gzipSync(randomBytes(size), { level: 1 })
const sourceUrl = (id: string) => `${api.url}/projects/${projectId}/deployments/${id}/source`

const mutation = `mutation ($input: CreateDeploymentInput!) { createDeployment(input: $input) { id status sourceBytes sourceHash uploadPath } }`

type Form = { operations?: unknown; map?: unknown; file?: Buffer; more?: [string, string][] }

function formOf({
  operations,
  map = { 0: ['variables.input.file'] },
  file = archiveOf(10),
  more = [],
}: Form): FormData {
  const form = new FormData()
  const initial = { query: mutation, variables: { input: { functionId, file: null } } }
  form.set('operations', JSON.stringify(operations ?? initial))
  form.set('map', JSON.stringify(map))
  form.set('0', new Blob([new Uint8Array(file)]), 'code.tar.gz')
  for (const [name, value] of more) form.set(name, new Blob([value]), name)
  return form
}

// biome-ignore lint/suspicious/noExplicitAny: what a server answers is checked by what follows
async function post(form: FormData, headers: Record<string, string> = {}): Promise<any> {
  const response = await fetch(`${api.url}/projects/${projectId}/graphql`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${key}`, 'x-tendril-csrf': '1', ...headers },
  })
  return { status: response.status, ...((await response.json()) as object) }
}

test('an archive that comes with the request is kept, and waits to be built', async () => {
  const file = archiveOf(3_500_000)
  const { data, errors } = await post(formOf({ file }))
  assert.equal(errors, undefined)
  const { id, ...rest } = data.createDeployment
  assert.deepEqual(rest, { status: 'PENDING', sourceBytes: file.length, sourceHash: sha256(file), uploadPath: null })
  const parts = await world.app.db.deploymentPart.findMany({ where: { deploymentId: id }, orderBy: { number: 'asc' } })
  assert.equal(parts.length, 4)
  const response = await fetch(sourceUrl(id), { headers: { authorization: `Bearer ${key}` } })
  assert.equal(sha256(Buffer.from(await response.arrayBuffer())), sha256(file))
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.match(response.headers.get('content-disposition') ?? '', /^attachment; filename="dep_\w+\.tar\.gz"$/)
  assert.equal(
    (await fetch(sourceUrl(id), { method: 'HEAD', headers: { authorization: `Bearer ${key}` } })).status,
    200,
  )
  assert.equal((await fetch(sourceUrl(id))).status, 403)
  const weak = await createKey(['functions.write'])
  assert.equal((await fetch(sourceUrl(id), { headers: { authorization: `Bearer ${weak}` } })).status, 403)
})

test('without the header that a foreign page cannot send it is refused', async () => {
  const before = await rows()
  const response = await fetch(`${api.url}/projects/${projectId}/graphql`, {
    method: 'POST',
    body: formOf({}),
    headers: { authorization: `Bearer ${key}` },
  })
  assert.equal(response.status, 403)
  assert.equal(await rows(), before)
})

test('whoever may not is refused, and nothing of the file is kept', async () => {
  const before = await rows()
  const read = await createKey(['functions.read'])
  const { errors } = await post(formOf({ file: archiveOf(5_000_000) }), { authorization: `Bearer ${read}` })
  assert.equal(errors[0].extensions.code, 'INVALID')
  const none = await post(formOf({}), { authorization: '' })
  assert.ok(none.errors)
  const operations = { query: mutation, variables: { input: { functionId: 'fun_other', file: null } } }
  const missing = await post(formOf({ operations }))
  assert.equal(missing.errors[0].extensions.code, 'NOT_FOUND')
  const other = await createFunction(owner, { name: 'strong', runtime: 'typescript', scopes: ['users.write'] })
  const strong = { query: mutation, variables: { input: { functionId: other.id, file: null } } }
  assert.equal((await post(formOf({ operations: strong }))).errors[0].extensions.code, 'FORBIDDEN')
  assert.equal(await rows(), before)
})

test('what is wrong with an upload is told', async () => {
  const before = await rows()
  const initial = { query: mutation, variables: { input: { functionId, file: null } } }
  const wrong: [Form, string, RegExp][] = [
    [{ operations: [initial] }, 'INVALID', /one operation, not a batch/],
    [{ operations: {} }, 'INVALID', /`query` must be/],
    [{ map: {} }, 'INVALID', /“map” names the variable/],
    [{ map: { 0: [] } }, 'INVALID', /“map” names the variable/],
    [{ map: { 0: ['variables.input.other'] } }, 'INVALID', /not null, or not there/],
    [{ map: { 0: ['variables.__proto__.file'] } }, 'INVALID', /not null, or not there/],
    [{ map: { 0: ['query'] } }, 'INVALID', /“map” names/],
    [{ map: { 0: ['variables.input.file', 'variables.input.file'] } }, 'INVALID', /one variable/],
    [{ map: { 0: ['variables.input.file'], 1: ['variables.a'] } }, 'LIMIT_EXCEEDED', /one file/],
    [{ map: { 7: ['variables.input.file'] } }, 'INVALID', /The file “7” is missing/],
    [{ more: [['1', 'another']] }, 'LIMIT_EXCEEDED', /one file/],
    [{ file: Buffer.from('PK a zip') }, 'INVALID', /no tar\.gz/],
    [
      { operations: { ...initial, variables: { input: { functionId, source: 'x', file: null } } } },
      'INVALID',
      /one of/,
    ],
  ]
  for (const [form, code, message] of wrong) {
    const { errors } = await post(formOf(form))
    assert.equal(errors?.[0].extensions.code, code, JSON.stringify(form))
    assert.match(errors[0].message, message)
  }
  const json = { query: mutation, variables: { input: { functionId, file: { name: 'x', type: 'y' } } } }
  const response = await fetch(`${api.url}/projects/${projectId}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(json),
  })
  assert.match(JSON.stringify(await response.json()), /part of its own/)
  assert.equal(await rows(), before)
})

test('an archive that is too large is refused, and nothing is left', async () => {
  const before = await rows()
  const { errors } = await post(
    formOf({ file: Buffer.concat([archiveOf(10), Buffer.alloc(deploymentLimits.sourceBytes)]) }),
  )
  assert.equal(errors[0].extensions.code, 'LIMIT_EXCEEDED')
  assert.equal(await rows(), before)
})

/** Sends the beginning of a body, then the rest or nothing. */
function sendRaw(
  method: string,
  path: string,
  headers: Record<string, string>,
  bytes: Buffer,
  cut = true,
): Promise<void> {
  return new Promise((resolve) => {
    const req = request(api.url + path, { method, headers: { authorization: `Bearer ${key}`, ...headers } })
    req.on('error', () => resolve())
    req.on('close', () => resolve())
    req.write(bytes, () => setTimeout(() => cut && req.destroy(), 200))
  })
}

test('a connection that breaks leaves nothing of an upload by multipart', async () => {
  const before = await rows()
  const form = new Response(formOf({ file: archiveOf(4_000_000) }))
  const body = Buffer.from(await form.arrayBuffer())
  const headers = {
    'content-type': form.headers.get('content-type') ?? '',
    'content-length': String(body.length),
    'x-tendril-csrf': '1',
  }
  await sendRaw('POST', `/projects/${projectId}/graphql`, headers, body.subarray(0, 2_500_000))
  await eventually(async () => assert.equal(await rows(), before))
})

type Announced = { id: string; status: string; uploadPath: string }

async function announce(file: Buffer): Promise<string> {
  const input = { functionId, upload: { bytes: file.length, sha256: sha256(file) } }
  const response = await fetch(`${api.url}/projects/${projectId}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: mutation, variables: { input } }),
  })
  const { data } = (await response.json()) as { data: { createDeployment: Announced } }
  const { id, status, uploadPath } = data.createDeployment
  assert.deepEqual([status, uploadPath], ['UPLOADING', `/projects/${projectId}/deployments/${id}/source`])
  return id
}

const put = (id: string, bytes: Buffer, range?: string, authorization = `Bearer ${key}`) =>
  fetch(sourceUrl(id), {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { authorization, ...(range && { 'content-range': range }) },
  })
const offsetOf = async (id: string) =>
  (await fetch(sourceUrl(id), { method: 'HEAD', headers: { authorization: `Bearer ${key}` } })).headers.get(
    'upload-offset',
  )

test('an announced upload goes on where it was cut off', async () => {
  const file = archiveOf(3_000_000)
  const id = await announce(file)
  const path = `/projects/${projectId}/deployments/${id}/source`
  const cutAt = 1_300_000
  await sendRaw('PUT', path, { 'content-length': String(file.length) }, file.subarray(0, cutAt))
  await eventually(async () => assert.equal(await offsetOf(id), String(cutAt)))
  assert.equal((await fetch(sourceUrl(id), { headers: { authorization: `Bearer ${key}` } })).status, 404)
  const wrong = await put(id, file.subarray(5), `bytes 5-${file.length - 1}/${file.length}`)
  assert.deepEqual([wrong.status, wrong.headers.get('upload-offset')], [409, String(cutAt)])
  const middle = 2_000_000
  const part = await put(id, file.subarray(cutAt, middle), `bytes ${cutAt}-${middle - 1}/${file.length}`)
  assert.deepEqual(await part.json(), { id, status: 'UPLOADING', offset: middle })
  const last = await put(id, file.subarray(middle), `bytes ${middle}-${file.length - 1}/${file.length}`)
  assert.deepEqual(await last.json(), { id, status: 'PENDING', offset: file.length })
  const response = await fetch(sourceUrl(id), { headers: { authorization: `Bearer ${key}` } })
  assert.equal(sha256(Buffer.from(await response.arrayBuffer())), sha256(file))
  assert.equal((await put(id, file)).status, 409)
})

test('whoever has not heard the last answer asks again with nothing, and has it ended', async () => {
  const archive = archiveOf(2_000)
  const id = await announce(archive)
  const ask = async () => {
    const headers = { authorization: `Bearer ${key}`, 'content-range': `bytes */${archive.length}` }
    const answer = await fetch(sourceUrl(id), { method: 'PUT', headers })
    return [answer.status, await answer.json(), Number(answer.headers.get('upload-offset'))]
  }
  assert.deepEqual(await ask(), [200, { id, status: 'UPLOADING', offset: 0 }, 0])
  const all = (async function* () {
    yield archive
  })()
  // All is there, and what would have ended it was cut off.
  await appendSource(owner, id, all, { offset: 0, most: archive.length })
  for (let i = 0; i < 2; i += 1)
    assert.deepEqual(await ask(), [200, { id, status: 'PENDING', offset: archive.length }, archive.length])
})

test('two that go on with one upload: one of them does', async () => {
  const file = archiveOf(2_500_000)
  const id = await announce(file)
  const both = await Promise.all([put(id, file), put(id, file)])
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
  const { sourceHash, status } = await world.app.db.deployment.findUniqueOrThrow({ where: { id } })
  assert.deepEqual([sourceHash, status], [sha256(file), 'PENDING'])
})

test('what is not what was announced is refused, and can be uploaded anew', async () => {
  const file = archiveOf(2_000)
  const id = await announce(file)
  const other = archiveOf(2_000)
  assert.equal(other.length, file.length)
  const refused = await put(id, other)
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /its SHA-256 is another/)
  assert.equal(await offsetOf(id), '0')
  assert.equal((await put(id, Buffer.concat([file, file]))).status, 400)
  assert.equal((await put(id, file, `bytes 0-9/10`)).status, 400)
  assert.equal((await put(id, file, `bytes=0-9`)).status, 400)
  assert.equal((await put(id, file, undefined, `Bearer ${await createKey(['functions.read'])}`)).status, 403)
  assert.equal((await put(id, file)).status, 200)
})

test('only so many uploads are taken in at a time', async () => {
  const file = archiveOf(100_000)
  const ids = await Promise.all(Array.from({ length: limits.uploads + 1 }, () => announce(file)))
  const open = ids.slice(1).map((id) => {
    const path = `/projects/${projectId}/deployments/${id}/source`
    const req = request(api.url + path, {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-length': String(file.length) },
    })
    req.on('error', () => {})
    req.write(file.subarray(0, 10))
    return req
  })
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal((await put(ids[0] ?? '', file)).status, 503)
  for (const req of open) req.destroy()
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal((await put(ids[0] ?? '', file)).status, 200)
})

test('methods and paths', async () => {
  const id = await announce(archiveOf(10))
  const headers = { authorization: `Bearer ${key}` }
  assert.equal((await fetch(sourceUrl(id), { method: 'DELETE', headers })).status, 405)
  assert.equal((await fetch(sourceUrl(id).replace('/source', '/artefact'), { method: 'PUT', headers })).status, 405)
  assert.equal((await fetch(sourceUrl('dep_none'), { headers })).status, 404)
  assert.equal((await fetch(sourceUrl(id).replace('/source', '/artefact'), { headers })).status, 404)
  const { projectId: other } = await world.createProject()
  assert.equal((await fetch(sourceUrl(id).replace(projectId, other), { headers })).status, 401)
})
