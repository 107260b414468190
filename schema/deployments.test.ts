import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { addToLog, beginBuild, failBuild, finishBuild } from '../src/modules/deployments/builds.ts'
import { deploymentLimits } from '../src/modules/deployments/limits.ts'
import { ring } from '../src/modules/deployments/logs.ts'
import { createFunction } from '../src/modules/functions/functions.ts'
import { listen, operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()
let functionId: string
before(async () => {
  functionId = (await createFunction(ctx, { name: 'f', runtime: 'typescript' })).id
})

const create = `mutation ($input: CreateDeploymentInput!) {
  createDeployment(input: $input) { id status runtime entrypoint isActive activate uploadPath uploadBytes sourceBytes }
}`
const source = 'export default () => 1'
const make = (input: object, as = ctx) => operate(schemas, as, create, { input: { functionId, ...input } })
const key = (...scopes: string[]): Context =>
  world.context(ctx.projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) })

test('a deployment is made, listed, activated and deleted', async () => {
  const { data, errors } = await make({ source, entrypoint: 'src/main.ts' })
  assert.deepEqual(errors, [])
  const { id, sourceBytes, ...first } = data?.createDeployment ?? {}
  const fresh = { isActive: false, activate: true, uploadPath: null, uploadBytes: null }
  assert.deepEqual(first, { status: 'PENDING', runtime: 'typescript', entrypoint: 'src/main.ts', ...fresh })
  assert.ok(sourceBytes > 100)
  const activate = 'mutation ($id: ID!) { activateDeployment(id: $id) { isActive } }'
  assert.match((await operate(schemas, ctx, activate, { id })).errors[0] ?? '', /^CONFLICT/)
  for (const fail of [false, true]) {
    const one = fail ? (await make({ source })).data?.createDeployment.id : id
    await beginBuild(ctx, one)
    await (fail ? failBuild(ctx, one, 'It is wrong.') : finishBuild(ctx, one, Buffer.from('built'), 12.4))
  }
  const list = `query ($status: DeploymentStatus) {
    deployments(where: { status: $status }) { totalCount nodes { isActive status error buildMs artefactBytes } }
    function(id: "${functionId}") { deploymentId deployments { totalCount } }
  }`
  const ready = await operate(schemas, ctx, list, { status: 'READY' })
  const built = { isActive: true, status: 'READY', error: null, buildMs: 12, artefactBytes: 5 }
  assert.deepEqual(ready.data?.deployments, { totalCount: 1, nodes: [built] })
  assert.deepEqual(ready.data?.function, { deploymentId: id, deployments: { totalCount: 2 } })
  const failed = await operate(schemas, ctx, list, { status: 'FAILED' })
  assert.equal(failed.data?.deployments.nodes[0].error, 'It is wrong.')
  assert.deepEqual((await operate(schemas, ctx, activate, { id })).data, { activateDeployment: { isActive: true } })
  const remove = 'mutation ($id: ID!) { deleteDeployment(id: $id) }'
  assert.match((await operate(schemas, ctx, remove, { id })).errors[0] ?? '', /^CONFLICT/)
  const other = (await make({ source })).data?.createDeployment.id
  assert.deepEqual((await operate(schemas, ctx, remove, { id: other })).data, { deleteDeployment: other })
  const gone = await operate(schemas, ctx, `{ deployment(id: "${other}") { id } }`)
  assert.deepEqual(gone.data, { deployment: null })
})

test('a build is listened to, by whoever may', async () => {
  const { id } = (await make({ source })).data?.createDeployment ?? {}
  const logs =
    'subscription ($id: ID!, $after: String) { deploymentLogs(id: $id, after: $after) { cursor lines status } }'
  await beginBuild(ctx, id)
  await addToLog(ctx, id, 'one\ntw')
  const payloads = await listen(schemas, key('functions.read'), logs, { id })
  const next = async () => (await payloads.next()).value?.data?.deploymentLogs
  assert.deepEqual(await next(), { cursor: '4', lines: ['one'], status: 'BUILDING' })
  await addToLog(ctx, id, 'o\n')
  ring(ctx, id)
  assert.deepEqual(await next(), { cursor: '8', lines: ['two'], status: 'BUILDING' })
  await finishBuild(ctx, id, Buffer.from('built'), 1)
  assert.deepEqual(await next(), { cursor: '8', lines: [], status: 'READY' })
  assert.ok((await payloads.next()).done)
  const again = await listen(schemas, ctx, logs, { id, after: '4' })
  assert.deepEqual((await again.next()).value?.data?.deploymentLogs.lines, ['two'])
  await again.return()
  await assert.rejects(listen(schemas, world.context(ctx.projectId), logs, { id }))
})

test('an upload is announced', async () => {
  const upload = { bytes: 1_000, sha256: 'AB'.repeat(32) }
  const { data } = await make({ upload, activate: false })
  const { id, uploadPath, uploadBytes, status } = data?.createDeployment ?? {}
  assert.equal(uploadPath, `/projects/${ctx.projectId}/deployments/${id}/source`)
  assert.deepEqual([uploadBytes, status], [1_000, 'UPLOADING'])
})

test('what is wrong is told with its path', async () => {
  const wrong: [object, string][] = [
    [{}, 'input'],
    [{ source, upload: { bytes: 1, sha256: 'a'.repeat(64) } }, 'input'],
    [{ upload: { bytes: 0, sha256: 'a'.repeat(64) } }, 'input.upload.bytes'],
    [{ upload: { bytes: 1, sha256: 'none' } }, 'input.upload.sha256'],
    [{ source, entrypoint: '../main.ts' }, 'input.entrypoint'],
    [{ source, entrypoint: '/main.ts' }, 'input.entrypoint'],
    [{ source, buildCommand: 'x'.repeat(1_025) }, 'input.buildCommand'],
  ]
  for (const [input, path] of wrong) {
    const { errors } = await make(input)
    assert.match(errors[0] ?? '', new RegExp(`^INVALID .* \\(${path}\\)$`), JSON.stringify(input))
  }
})

test('others may not; who may not what the function may, may not give it code', async () => {
  const { owner: stranger } = await world.createProject()
  assert.match((await make({ source }, stranger)).errors[0] ?? '', /^NOT_FOUND/)
  for (const other of [world.context(ctx.projectId), key('functions.read')])
    assert.match((await make({ source }, other)).errors[0] ?? '', /^Unknown type "CreateDeploymentInput"/)
  assert.deepEqual((await make({ source }, key('functions.write'))).errors, [])
  const strong = await createFunction(ctx, { name: 'g', runtime: 'javascript', scopes: ['users.write'] })
  const weak = await make({ source, functionId: strong.id }, key('functions.write'))
  assert.match(weak.errors[0] ?? '', /^FORBIDDEN/)
  assert.deepEqual((await make({ source, functionId: strong.id }, key('functions.write', 'users.write'))).errors, [])
})

test('a project keeps so many bytes', async () => {
  const { id } = (await make({ source })).data?.createDeployment ?? {}
  const { projectBytes } = deploymentLimits
  await ctx.sql.query(`update deployments set "sourceBytes" = $2 where id = $1`, [id, projectBytes])
  assert.match((await make({ source })).errors[0] ?? '', /^LIMIT_EXCEEDED/)
  await ctx.sql.query(`update deployments set "sourceBytes" = 1 where id = $1`, [id])
  assert.deepEqual((await make({ source })).errors, [])
})
