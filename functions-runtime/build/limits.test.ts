import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuildFrame, LogLine } from '../protocol.ts'
import { capped, queued } from './limits.ts'

const line = (text: string): LogLine => ({ at: 0, level: 'log', text })

test('a log has an end, and says so', () => {
  const kept: LogLine[] = []
  const tell = capped((one) => kept.push(one))
  tell(line('x'.repeat(100_000)))
  for (let i = 0; i < 100_000; i++) tell(line(`line ${i}`))
  assert.match(kept[0]?.text ?? '', /^x{4000} …$/)
  assert.equal(kept.at(-1)?.text, 'There are more lines than a log has room for.')
  assert.ok(kept.reduce((bytes, { text }) => bytes + text.length + 1, 0) < 66_000)
})

test('two builds run at a time; one that nobody waits for any more does not begin', async () => {
  const ends: (() => void)[] = []
  const build = queued(async () => {
    await new Promise<void>((resolve) => ends.push(resolve))
    return { error: '' }
  })
  const stop = new AbortController()
  const begin = (signal = new AbortController().signal) => build({} as BuildFrame, Buffer.alloc(0), () => {}, signal)
  const first = [begin(), begin()]
  const cancelled = assert.rejects(begin(stop.signal), { message: 'gone' })
  const last = begin()
  await new Promise(setImmediate)
  assert.equal(ends.length, 2)
  stop.abort(new Error('gone'))
  ends[0]?.()
  await cancelled
  await new Promise(setImmediate)
  assert.equal(ends.length, 3)
  for (const end of ends) end()
  await Promise.all([...first, last])
})
