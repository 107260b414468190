import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Outside, Worker } from './implement.ts'
import { workers } from './index.ts'

const outside = { atEnd: () => {} } as unknown as Outside
const jobsOf = (worker: Worker) => [...worker.jobs, ...(worker.outgoing?.(outside) ?? [])].map(({ job }) => job)

test('a job belongs to one worker, and is tried again', () => {
  const names = workers.flatMap(jobsOf).map(({ name }) => name)
  assert.deepEqual(names, [...new Set(names)])
  for (const worker of workers) {
    for (const { name, concurrency, retryAfterMs } of jobsOf(worker)) {
      assert.match(name, /^[a-z-]+\.[a-z-]+$/, name)
      assert.ok(concurrency >= 1 && concurrency <= 50, name)
      // What the clock plans comes again by itself.
      assert.ok(retryAfterMs.length > 0 || worker.due, name)
    }
  }
})

test('a worker has a name of its own, something to do, and tests', () => {
  const names = workers.map(({ name }) => name)
  assert.deepEqual(names, [...new Set(names)].sort())
  for (const worker of workers) {
    assert.ok(jobsOf(worker).length > 0 || worker.start || worker.due || worker.reactions.length > 0, worker.name)
    assert.ok(existsSync(join(import.meta.dirname, `${worker.name}.test.ts`)), worker.name)
  }
})
