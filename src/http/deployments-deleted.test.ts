import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { makeFunction } from '../testing/functions.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
})
after(async () => {
  await api.close()
  await world.close()
})

test('an archive that is deleted while it is read ends with its connection, and not when the client has waited enough', async () => {
  const { owner, projectId } = await world.createProject()
  const secret = newSecret('key')
  await world.app.db.key.create({
    data: { id: newId('key'), projectId, name: 'k', hash: hashSecret(secret), scopes: ['functions.read'] },
  })
  const { id } = await makeFunction(owner)
  const deployment = await world.app.db.deployment.findFirstOrThrow({ where: { functionId: id } })
  const read = () =>
    fetch(`${api.url}/projects/${projectId}/deployments/${deployment.id}/artefact`, {
      headers: { authorization: `Bearer ${secret}` },
      signal: AbortSignal.timeout(2_000),
    })
  assert.match(await (await read()).text(), /hello/)
  // One byte more than its parts have.
  const artefactBytes = deployment.artefactBytes + 1
  await world.app.db.deployment.update({ where: { id: deployment.id }, data: { artefactBytes } })
  // Waiting enough is no TypeError.
  await assert.rejects(async () => (await read()).text(), TypeError)
})
