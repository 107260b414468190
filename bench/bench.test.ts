import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

/** A run too short for its figures to mean anything: only that it is valid, and says what it is to say. */
async function runQuickly(name: string, expected = 0, ...more: string[]): Promise<Record<string, unknown>> {
  const args = [`${import.meta.dirname}/${name}.ts`, '--quick', '--json', ...more]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ])
  assert.equal(code, expected, `${output}${errors}`)
  return JSON.parse(output.trim().split('\n').at(-1) ?? '')
}

const areNumbers = (figures: Record<string, unknown>, names: readonly string[]) => {
  for (const name of names) assert.equal(typeof figures[name], 'number', name)
}

test('bench:documents', async () => {
  const { cases } = (await runQuickly('documents')) as { cases: Record<string, Record<string, unknown>> }
  assert.deepEqual(Object.keys(cases), ['get', 'list', 'nested', 'create', 'bulk'])
  for (const one of Object.values(cases)) areNumbers(one, ['rps', 'p50Ms', 'p99Ms', 'ratioToRaw'])
})

test('bench:schema', async () => {
  areNumbers(await runQuickly('schema'), ['firstBuildMs', 'replaceMs', 'memoryGrowthMb', 'otherTrafficP99Ratio'])
})

test('bench:tenants', async () => {
  areNumbers(await runQuickly('tenants'), ['coldQueryMs', 'rssMb', 'neighbourP99Ratio'])
})

test('bench:jobs', async () => {
  const names = ['webhookP50Ms', 'loadedWebhookP50Ms', 'startP50Ms', 'startP99Ms', 'lost', 'drainSeconds']
  const figures = await runQuickly('jobs')
  areNumbers(figures, names)
  areNumbers(figures.postgres as Record<string, unknown>, names)
  assert.equal(figures.lost, 0)
})

test('bench:jobs tells of events that are lost', async () => {
  const { lost } = await runQuickly('jobs', 1, '--planted-bug', 'skip-events')
  assert.ok(Number(lost) > 0)
})

test('bench:realtime, which finds who gets what is not theirs', async () => {
  const names = [
    ...['deliveriesPerSecond', 'publicDeliveriesPerSecond', 'ratioToBareWs', 'lost', 'p99Ms', 'msPerEventAt10k'],
    ...['idleSocketKb', 'commitToClientP50Ms', 'commitToClientP99Ms', 'stormLost', 'stormQueries'],
  ]
  areNumbers(await runQuickly('realtime'), names)
  areNumbers(await runQuickly('realtime', 1, '--planted-bug', 'ignore-roles'), names)
})

test('bench:functions', async () => {
  const names = [
    ...['coldP50Ms', 'coldNoSpareP50Ms', 'warmP50Ms', 'runsPerSecond', 'supervisorRunsPerSecond', 'ratioToSupervisor'],
    ...['neighbourFailures', 'neighbourP99Ms', 'idleFunctionMb', 'lost'],
  ]
  areNumbers(await runQuickly('functions'), names)
})
