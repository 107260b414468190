/** Builds, while `kill -9` takes the worker or the executor in the middle of them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { tgz } from '../../functions-runtime/build/fixture.ts'
import { startExecutor, type TestExecutor } from '../../functions-runtime/testing/executor.ts'
import { childrenOf } from '../../functions-runtime/testing/processes.ts'
import type { Context } from '../../src/context.ts'
import { makeUpload } from '../../src/lib/upload.ts'
import { createDeployment } from '../../src/modules/deployments/deployments.ts'
import { createFunction } from '../../src/modules/functions/functions.ts'
import { freePort } from '../../src/servers/ports.ts'
import { patienceMs, patient } from '../../src/testing/patience.ts'
import { eventually } from '../../src/testing/receiver.ts'
import { within } from '../../src/testing/stream.ts'
import { createWorkerProcesses, type WorkerProcesses } from '../../src/testing/worker-processes.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

/** The registry of packages, which a build waits for: it answers once it is told to. */
const held: ServerResponse[] = []
let isOpen = false
const registry = createServer((_req, res) => {
  held.push(res)
  if (isOpen) res.end(left)
})
function open(): void {
  isOpen = true
  for (const res of held) res.end(left)
}

const left = tgz({
  'package/package.json': JSON.stringify({ name: 'left', version: '1.0.0' }),
  'package/index.js': 'module.exports = 42',
})
const dependencies = { left: '1.0.0' }
const resolved = 'https://registry.npmjs.org/left/-/left-1.0.0.tgz'
const integrity = `sha512-${createHash('sha512').update(left).digest('base64')}`
const packages = { '': { dependencies }, 'node_modules/left': { version: '1.0.0', resolved, integrity } }
const archive = tgz({
  'index.js': `import left from 'left'\nexport default () => left`,
  'package.json': JSON.stringify({ dependencies }),
  'package-lock.json': JSON.stringify({ lockfileVersion: 3, requires: true, packages }),
})

let world: World
let executor: TestExecutor
let workers: WorkerProcesses
let ctx: Context
let start: () => Promise<TestExecutor>
/** Where the executor puts what it needs for a moment. */
const folder = mkdtempSync(join(tmpdir(), 'tendril-test-'))

before(async () => {
  await once(registry.listen(0, '127.0.0.1'), 'listening')
  const secret = 'a secret of both sides'
  const NPM_REGISTRY = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
  const given = { EXECUTOR_SECRET: secret, NPM_REGISTRY, TMPDIR: folder, PORT: String(await freePort()) }
  start = () => startExecutor(given)
  executor = await start()
  const reached = { EXECUTORS: executor.url, EXECUTOR_SECRET: secret }
  world = await createWorld(reached)
  workers = createWorkerProcesses(world, 'deployments', reached)
  ctx = (await world.createProject()).owner
})
afterEach(async () => {
  await workers.killAll()
  held.length = 0
  isOpen = false
})
after(async () => {
  await world.close()
  await executor.stop()
  registry.close()
  registry.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
})

async function deploy(): Promise<string> {
  const { id: functionId } = await createFunction(ctx, { name: 'f', runtime: 'javascript' })
  const bytes = async function* () {
    yield archive
  }
  const file = makeUpload({ name: 'f.tar.gz', type: 'application/gzip', bytes })
  return (await createDeployment(ctx, { functionId, file })).id
}

const read = (id: string) => ctx.db.deployment.findUniqueOrThrow({ where: { id }, include: { function: true } })
const asked = (count: number) => eventually(() => assert.equal(held.length, count), patienceMs())
const builds = () => childrenOf(executor.child.pid).filter(({ command }) => /build\/child\.ts/.test(command))

/** It is built and run, its log tells of one build, each step was told once, and nothing is left of those before. */
async function isBuiltOnce(id: string): Promise<void> {
  await eventually(async () => assert.equal((await read(id)).status, 'READY'), patienceMs())
  const { buildLog, error, function: of } = await read(id)
  assert.match(buildLog, /^npm ci\n(added 1 package.*\n|\n)*Bundled 2 files into \d KB in [\d.]+ s\.\n$/)
  assert.deepEqual([error, of.deploymentId], [null, id])
  const { rows } = await ctx.sql.query(
    `select coalesce(payload->>'status', type) as step from (
       select type, payload, aggregate from events.outbox union all select type, payload, aggregate from events.log) as event
     where aggregate like $1`,
    [`%${id}`],
  )
  // It is built again and again while no executor is there; of its end it is told once.
  const steps = rows.map(({ step }) => step).filter((step) => step !== 'BUILDING')
  assert.deepEqual(steps.sort(), ['PENDING', 'READY', 'deployments.activated'])
  await eventually(() => assert.deepEqual(builds(), []), patienceMs())
}

test(
  'a worker that is killed during a build: another builds it, and nothing is left of the first',
  patient,
  async () => {
    await workers.start()
    const id = await deploy()
    await asked(1)
    assert.equal((await read(id)).status, 'BUILDING')
    const cut = once(held[0] as ServerResponse, 'close')
    await workers.killFirst()
    // The executor ends what nobody waits for.
    await within(cut, patienceMs(), 'it goes on')
    await workers.start()
    await asked(2)
    open()
    await isBuiltOnce(id)
    assert.deepEqual(readdirSync(folder), [])
  },
)

test('an executor that is killed during a build: the next one builds it', patient, async () => {
  await workers.start()
  const id = await deploy()
  await asked(1)
  const processes = builds()
  assert.ok(processes.length > 0)
  await executor.stop()
  await eventually(async () => assert.equal((await read(id)).status, 'PENDING'), patienceMs())
  await eventually(() => assert.ok(!processes.some(({ pid }) => existsSync(`/proc/${pid}`))), patienceMs())
  // What it has left in its folder goes when one starts later, and none can be at work there any more.
  const [folderLeft = ''] = readdirSync(folder)
  assert.match(folderLeft, /^tendril-build-/)
  const then = new Date(Date.now() - 2 * 3_600_000)
  utimesSync(join(folder, folderLeft), then, then)
  executor = await start()
  await eventually(() => assert.ok(!existsSync(join(folder, folderLeft))), patienceMs())
  await asked(2)
  open()
  await isBuiltOnce(id)
})

test('worker and executor, killed together', patient, async () => {
  await workers.start()
  const id = await deploy()
  await asked(1)
  await Promise.all([workers.killFirst(), executor.stop()])
  executor = await start()
  await workers.start()
  await asked(2)
  open()
  await isBuiltOnce(id)
})

test('a build whose workers die again and again has failed, and says why', patient, async () => {
  const id = await deploy()
  for (let kills = 1; kills <= 5; kills += 1) {
    await workers.start()
    await asked(kills)
    await workers.killFirst()
  }
  await workers.start()
  await eventually(async () => assert.equal((await read(id)).status, 'FAILED'), patienceMs())
  const { error, function: of } = await read(id)
  assert.match(error ?? '', /^The build was given up: It was started again and again and never ended\.$/)
  assert.equal(of.deploymentId, null)
  await eventually(() => assert.deepEqual(builds(), []), patienceMs())
})
