import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unlessAborted } from './host.ts'

const hanging = () => new Promise(() => {})

test('what hangs is waited for until the signal is aborted, and not at all where it was before', async () => {
  const reason = new Error('no more')
  await assert.rejects(unlessAborted(hanging(), AbortSignal.abort(reason)), reason)
  const controller = new AbortController()
  const waiting = unlessAborted(hanging(), controller.signal)
  controller.abort(reason)
  await assert.rejects(waiting, reason)
  assert.equal(await unlessAborted(Promise.resolve(1), new AbortController().signal), 1)
})
