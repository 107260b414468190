import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readPlantedBug } from '../planted.ts'
import { createRandom } from './faults.ts'

type Result = {
  code: number
  faults: { fault: string; kills: number; committed: number; delivered: number; lost: number }[]
}

async function runFaults(...args: string[]): Promise<Result> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  return { code, ...JSON.parse(output.trim().split('\n').at(-1) ?? '') }
}

describe('a short run', () => {
  test('of what is built loses nothing', async () => {
    const { code, faults } = await runFaults('--seconds', '4', '--seed', '3', '--only', 'kill-api')
    assert.equal(code, 0, JSON.stringify(faults))
    assert.ok(
      faults.every(({ kills, committed, delivered, lost }) => kills > 0 && lost === 0 && delivered === committed),
    )
  })

  test('with the planted bug is caught', async () => {
    const { code, faults } = await runFaults(
      ...['--seconds', '4', '--seed', '3', '--only', 'kill-redis', '--planted-bug', 'publish-after-commit'],
    )
    assert.equal(code, 1)
    assert.ok(
      faults.every(({ committed, lost }) => committed > 0 && lost > 0),
      JSON.stringify(faults),
    )
  })
})

test('a bug can be planted nowhere but in a test, and only one that there is', () => {
  assert.equal(readPlantedBug(undefined, 'production'), null)
  assert.throws(() => readPlantedBug('publish-after-commit', 'production'))
  assert.throws(() => readPlantedBug('another', 'test'))
  assert.equal(readPlantedBug('publish-after-commit', 'test'), 'publish-after-commit')
})

test('a seed names a run', () => {
  const [one, two, other] = [createRandom(7), createRandom(7), createRandom(8)]
  const numbers = [one(), one(), one()]
  assert.deepEqual(numbers, [two(), two(), two()])
  assert.ok(numbers.every((number) => number >= 0 && number < 1 && number !== other()))
})
