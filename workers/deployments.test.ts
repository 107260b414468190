import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import vm from 'node:vm'
import { startExecutor, type TestExecutor } from '../functions-runtime/testing/executor.ts'
import type { Context } from '../src/context.ts'
import { readArtefact } from '../src/modules/deployments/artefacts.ts'
import { beginBuild, finishBuild } from '../src/modules/deployments/builds.ts'
import { activateDeployment, createDeployment, deleteDeployment } from '../src/modules/deployments/deployments.ts'
import { deploymentLimits } from '../src/modules/deployments/limits.ts'
import { watchLog } from '../src/modules/deployments/logs.ts'
import { createFunction } from '../src/modules/functions/functions.ts'
import { createSandbox } from '../src/platform/sandbox.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { deployments } from './deployments.ts'

let world: World
let executor: TestExecutor
let owner: Context
before(async () => {
  executor = await startExecutor()
  world = await createWorld({ EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret })
  ;({ owner } = await world.createProject())
})
after(async () => {
  await world.close()
  await executor.stop()
})

const good = 'export default (): number => 42'
const makeFunction = () => createFunction(owner, { name: 'f', runtime: 'typescript' })
const deploy = (functionId: string, source = good, more = {}) =>
  createDeployment(owner, { functionId, source, ...more })
const read = (id: string) => owner.db.deployment.findUniqueOrThrow({ where: { id } })
const activeOf = async (id: string) => (await owner.db.function.findUniqueOrThrow({ where: { id } })).deploymentId

function run(deploymentId: string, services: Partial<Context> = {}, signal = new AbortController().signal) {
  const [job] = deployments.jobs
  return job?.run({ ...world.app, ...services, key: deploymentId, signal }, { deploymentId })
}

test('what was uploaded is built, run from then on, and its log is kept', async () => {
  const { id: functionId } = await makeFunction()
  const { id, status } = await deploy(functionId)
  assert.equal(status, 'PENDING')
  await run(id)
  const row = await read(id)
  assert.deepEqual([row.status, row.error], ['READY', null])
  assert.match(row.buildLog, /^Bundled 1 file into \d KB in [\d.]+ s\.\n$/)
  assert.ok((row.buildMs ?? 0) > 0)
  assert.equal(await activeOf(functionId), id)
  const artefact = await readArtefact(world.app, id)
  assert.equal(artefact?.length, row.artefactBytes)
  assert.equal(vm.runInNewContext(`${artefact}\n;__function.default`)(), 42)
  const { rows } = await owner.sql.query(`select type from events.outbox where aggregate like $1 order by position`, [
    `%${id}`,
  ])
  const types = rows.map(({ type }) => type)
  assert.deepEqual(types, [
    'deployments.created',
    'deployments.updated',
    'deployments.updated',
    'deployments.activated',
  ])
})

test('what cannot be built has failed, with the reason; what is run stays', async () => {
  const { id: functionId } = await makeFunction()
  const first = await deploy(functionId)
  await run(first.id)
  const { id } = await deploy(functionId, `import 'node:fs'\n${good}`)
  await run(id)
  const row = await read(id)
  assert.deepEqual(
    [row.status, row.error],
    ['FAILED', 'index.ts:1:8: node:fs is not there in an isolate, but with the runtime node-22.'],
  )
  assert.match(row.buildLog, /node:fs is not there/)
  assert.equal(await activeOf(functionId), first.id)
  await assert.rejects(activateDeployment(owner, id), { code: 'CONFLICT' })
})

test('an older deployment can be run again, one that is run not deleted', async () => {
  const { id: functionId } = await makeFunction()
  const [a, b, c] = [
    await deploy(functionId),
    await deploy(functionId),
    await deploy(functionId, good, { activate: false }),
  ]
  for (const { id } of [a, b, c]) await run(id)
  assert.equal(await activeOf(functionId), b.id)
  await activateDeployment(owner, a.id)
  assert.equal(await activeOf(functionId), a.id)
  await assert.rejects(deleteDeployment(owner, a.id), { code: 'CONFLICT' })
  assert.equal(await deleteDeployment(owner, b.id), b.id)
  assert.equal(await readArtefact(world.app, b.id), null)
  const guest = world.context(owner.projectId)
  const { owner: stranger } = await world.createProject()
  for (const call of [activateDeployment, deleteDeployment]) {
    await assert.rejects(call(guest, c.id), { code: 'FORBIDDEN' })
    await assert.rejects(call(stranger, c.id), { code: 'NOT_FOUND' })
  }
})

test('an older deployment that is built later does not take the place of a newer one', async () => {
  const { id: functionId } = await makeFunction()
  const [a, b] = [await deploy(functionId), await deploy(functionId)]
  await run(b.id)
  await run(a.id)
  assert.equal((await read(a.id)).status, 'READY')
  assert.equal(await activeOf(functionId), b.id)
})

test('one that was asked for before another is activated by hand does not take its place, one after that does', async () => {
  const { id: functionId } = await makeFunction()
  const old = await deploy(functionId)
  await run(old.id)
  const upload = { bytes: 10, sha256: 'a'.repeat(64) }
  const announced = await createDeployment(owner, { functionId, upload })
  const [waiting, begun] = [await deploy(functionId), await deploy(functionId)]
  await beginBuild(owner, begun.id)
  await activateDeployment(owner, old.id)
  await finishBuild(owner, begun.id, Buffer.from('x'), 1)
  await run(waiting.id)
  assert.equal((await read(waiting.id)).status, 'READY')
  assert.equal(await activeOf(functionId), old.id)
  assert.equal((await read(announced.id)).activate, false)
  await deleteDeployment(owner, announced.id)
  const after = await deploy(functionId)
  await run(after.id)
  assert.equal(await activeOf(functionId), after.id)
})

test('one deployment of a function is built at a time; one whose builder is silent is nobody’s', async () => {
  const { id: functionId } = await makeFunction()
  const [a, b] = [await deploy(functionId), await deploy(functionId)]
  assert.notEqual(await beginBuild(owner, a.id), 'busy')
  assert.ok((await run(b.id))?.again)
  await owner.sql.query(`update deployments set "updatedAt" = now() - interval '5 min' where id = $1`, [a.id])
  const owed = await deployments.owed?.(world.app)
  assert.deepEqual(
    owed?.map(({ data }) => data),
    [{ deploymentId: a.id }],
  )
  await run(b.id)
  assert.equal((await read(b.id)).status, 'READY')
  await run(a.id)
  assert.equal((await read(a.id)).status, 'READY')
})

test('a build whose executor is not there, or is lost, is tried again', async () => {
  const { id: functionId } = await makeFunction()
  const { id } = await deploy(functionId)
  const nowhere = createSandbox({
    env: { EXECUTORS: ['http://127.0.0.1:1'], EXECUTOR_SECRET: 'x'.repeat(16) },
    log: world.app.log,
  })
  await assert.rejects(Promise.resolve(run(id, { sandbox: nowhere })), /No executor of functions can be reached/)
  nowhere.close()
  assert.equal((await read(id)).status, 'PENDING')
  const other = await startExecutor()
  const sandbox = createSandbox({ env: { EXECUTORS: [other.url], EXECUTOR_SECRET: other.secret }, log: world.app.log })
  const building = Promise.resolve(run(id, { sandbox }))
  const lost = assert.rejects(building)
  for (let i = 0; i < 100 && (await read(id)).status !== 'BUILDING'; i += 1)
    await new Promise((wake) => setTimeout(wake, 10))
  other.child.kill('SIGKILL')
  await lost
  sandbox.close()
  assert.equal((await read(id)).status, 'PENDING')
  await run(id)
  assert.equal((await read(id)).status, 'READY')
})

test('one that is given up says why', async () => {
  const { id: functionId } = await makeFunction()
  const { id } = await deploy(functionId)
  await deployments.jobs[0]?.giveUp(world.app, { deploymentId: id }, 'No executor can be reached.')
  const { status, error } = await read(id)
  assert.deepEqual([status, error], ['FAILED', 'The build was given up: No executor can be reached.'])
})

test('the log comes as it is written, and goes on behind a cursor', async () => {
  const { id: functionId } = await makeFunction()
  const { id } = await deploy(functionId)
  const parts = await watchLog(owner, id, null, new Set())
  // Otherwise it may have begun before anybody looks.
  const { value: first } = await parts.next()
  const seen: string[] = [first?.status ?? '']
  const reading = (async () => {
    for await (const { lines, status } of parts) seen.push(status, ...lines)
  })()
  await run(id)
  await reading
  assert.match(seen.join('|'), /^PENDING\|(BUILDING\|)?(BUILDING\||READY\|)Bundled 1 file into .+ s\.(\|READY)?$/)
  const again = await watchLog(owner, id, '10', new Set())
  const { value } = await again.next()
  assert.match(value?.lines[0] ?? '', /^file into/)
  assert.equal((await again.next()).value?.lines, undefined)
  await assert.rejects(watchLog(owner, id, 'x', new Set()), { code: 'INVALID' })
  await assert.rejects(watchLog(owner, 'dep_none', null, new Set()), { code: 'NOT_FOUND' })
  await assert.rejects(watchLog(world.context(owner.projectId), id, null, new Set()), { code: 'NOT_FOUND' })
})

test('nothing goes on for a cursor that is none', async () => {
  const { id: functionId } = await makeFunction()
  const { id } = await deploy(functionId)
  const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length
  const before = timers()
  for (let i = 0; i < 20; i += 1) await assert.rejects(watchLog(owner, id, 'x', new Set()), { code: 'INVALID' })
  assert.ok(timers() < before + 20)
})

test('the last few deployments are kept, and the one that is run', async () => {
  const { id: functionId } = await makeFunction()
  const ids: string[] = []
  for (let i = 0; i < deploymentLimits.kept + 3; i += 1) {
    const { id } = await deploy(functionId, good, { activate: i === 0 })
    await beginBuild(owner, id)
    await finishBuild(owner, id, Buffer.from('x'), 1)
    ids.push(id)
  }
  const kept = await owner.db.deployment.findMany({ where: { functionId }, orderBy: { createdAt: 'asc' } })
  assert.deepEqual(
    kept.map(({ id }) => id),
    [ids[0], ...ids.slice(3)],
  )
})

test('limits', async () => {
  const { id: functionId } = await makeFunction()
  await assert.rejects(deploy(functionId, 'x'.repeat(deploymentLimits.inlineBytes + 1)), { code: 'LIMIT_EXCEEDED' })
  for (let i = 0; i < deploymentLimits.waiting; i += 1) await deploy(functionId)
  await assert.rejects(deploy(functionId), { code: 'LIMIT_EXCEEDED' })
  const upload = { bytes: deploymentLimits.sourceBytes + 1, sha256: 'a'.repeat(64) }
  const other = await makeFunction()
  const announce = (bytes: number) => createDeployment(owner, { functionId: other.id, upload: { ...upload, bytes } })
  await assert.rejects(announce(upload.bytes), { code: 'LIMIT_EXCEEDED' })
  for (let i = 0; i < deploymentLimits.uploads; i += 1) await announce(10)
  await assert.rejects(announce(10), { code: 'LIMIT_EXCEEDED' })
  await assert.rejects(createDeployment(owner, { functionId }), { code: 'INVALID' })
  await assert.rejects(createDeployment(world.context(owner.projectId), { functionId, source: 'x' }), {
    code: 'FORBIDDEN',
  })
})
