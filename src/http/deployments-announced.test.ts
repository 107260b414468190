import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, test } from 'node:test'
import { appendSource } from '../modules/deployments/uploads.ts'
import { archiveOf, createDeploying, createDeployment, sha256 } from '../testing/deploying.ts'
import { eventually } from '../testing/receiver.ts'
import { limits } from './limits.ts'

const { world, api, owner, projectId, functionId, createKey, key, sourceUrl, sendCut, close } = await createDeploying()
after(close)

type Announced = { id: string; status: string; uploadPath: string }

async function announce(file: Buffer): Promise<string> {
  const input = { functionId, upload: { bytes: file.length, sha256: sha256(file) } }
  const response = await fetch(`${api.url}/projects/${projectId}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: createDeployment, variables: { input } }),
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
  await sendCut('PUT', path, { 'content-length': String(file.length) }, file.subarray(0, cutAt))
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
