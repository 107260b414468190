import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { deploymentLimits } from '../modules/deployments/limits.ts'
import { createFunction } from '../modules/functions/functions.ts'
import { archiveOf, createDeploying, createDeployment, sha256 } from '../testing/deploying.ts'
import { eventually } from '../testing/receiver.ts'

const { world, api, owner, projectId, functionId, createKey, key, sourceUrl, sendCut, close } = await createDeploying()
after(close)

const rows = () => world.app.db.deployment.count({ where: { projectId } })

type Form = { operations?: unknown; map?: unknown; file?: Buffer; more?: [string, string][] }

function formOf({
  operations,
  map = { 0: ['variables.input.file'] },
  file = archiveOf(10),
  more = [],
}: Form): FormData {
  const form = new FormData()
  const initial = { query: createDeployment, variables: { input: { functionId, file: null } } }
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
  const operations = { query: createDeployment, variables: { input: { functionId: 'fun_other', file: null } } }
  const missing = await post(formOf({ operations }))
  assert.equal(missing.errors[0].extensions.code, 'NOT_FOUND')
  const other = await createFunction(owner, { name: 'strong', runtime: 'typescript', scopes: ['users.write'] })
  const strong = { query: createDeployment, variables: { input: { functionId: other.id, file: null } } }
  assert.equal((await post(formOf({ operations: strong }))).errors[0].extensions.code, 'FORBIDDEN')
  assert.equal(await rows(), before)
})

test('what is wrong with an upload is told', async () => {
  const before = await rows()
  const initial = { query: createDeployment, variables: { input: { functionId, file: null } } }
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
  const json = { query: createDeployment, variables: { input: { functionId, file: { name: 'x', type: 'y' } } } }
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

test('a connection that breaks leaves nothing of an upload by multipart', async () => {
  const before = await rows()
  const form = new Response(formOf({ file: archiveOf(4_000_000) }))
  const body = Buffer.from(await form.arrayBuffer())
  const headers = {
    'content-type': form.headers.get('content-type') ?? '',
    'content-length': String(body.length),
    'x-tendril-csrf': '1',
  }
  await sendCut('POST', `/projects/${projectId}/graphql`, headers, body.subarray(0, 2_500_000))
  await eventually(async () => assert.equal(await rows(), before))
})
