import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { authenticate } from '../../authenticate.ts'
import { Conflict, Forbidden, Unauthenticated } from '../../errors.ts'
import { makeUpload } from '../../lib/upload.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createFunction, updateFunction } from '../functions/functions.ts'
import { createKey, deleteKey } from '../keys/keys.ts'
import { createDeployment } from './deployments.ts'
import { appendSource, completeUpload } from './uploads.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

/** Something happens while a key that may write functions uploads the code of one. Answers how that ends, and what is left. */
async function uploading(meanwhile: (place: { functionId: string; keyId: string } & Project) => Promise<unknown>) {
  const project = await world.createProject()
  const { owner, ownerAtConsole, projectId } = project
  const { id: functionId } = await createFunction(owner, { name: 'f', runtime: 'javascript' })
  const { key, secret } = await createKey(ownerAtConsole, { projectId, name: 'k', scopes: ['functions.write'] })
  const credentials = { projectId, authorization: `Bearer ${secret}`, requestId: 'r', ip: '::1', userAgent: '' }
  const ctx = await authenticate(world.app, credentials)
  const bytes = async function* () {
    yield gzipSync('the first half')
    await meanwhile({ ...project, functionId, keyId: key.id })
    yield gzipSync('the second half')
  }
  const file = makeUpload({ name: '0', type: 'application/gzip', bytes })
  const outcome = await createDeployment(ctx, { functionId, file }).then(
    ({ status }) => status,
    (error) => error,
  )
  return { outcome, left: await owner.db.deployment.count({ where: { projectId } }) }
}

type Project = Awaited<ReturnType<World['createProject']>>

test('what was uploaded is kept if it still may be at its end', async () => {
  assert.deepEqual(await uploading(async () => {}), { outcome: 'PENDING', left: 1 })
  const gone = await uploading(({ ownerAtConsole, keyId }) => deleteKey(ownerAtConsole, keyId))
  assert.ok(gone.outcome instanceof Unauthenticated)
  // The function may do meanwhile what the key may not.
  const more = await uploading(({ owner, functionId }) =>
    updateFunction(owner, functionId, { scopes: ['documents.write'] }),
  )
  assert.ok(more.outcome instanceof Forbidden)
  assert.deepEqual([gone.left, more.left], [0, 0])
})

test('whoever asks for the end of an upload that somebody else has just ended may ask again', async () => {
  const { owner } = await world.createProject()
  const { id: functionId } = await createFunction(owner, { name: 'f', runtime: 'javascript' })
  const archive = gzipSync('all')
  const sha256 = createHash('sha256').update(archive).digest('hex')
  const { id } = await createDeployment(owner, { functionId, upload: { bytes: archive.length, sha256 } })
  const bytes = (async function* () {
    yield archive
  })()
  await appendSource(owner, id, bytes, { offset: 0, most: archive.length })
  assert.equal((await completeUpload(owner, id)).status, 'PENDING')
  await assert.rejects(completeUpload(owner, id), Conflict)
})
