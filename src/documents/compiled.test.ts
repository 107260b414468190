import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepCompiled } from './compiled.ts'

test('operations do not share what is compiled for one key', () => {
  const [one, other] = [keepCompiled<{ text: string }>(({ text }) => [text]), keepCompiled<{ text: string }>(() => [])]
  one.set('a', { text: 'select 1' })
  assert.deepEqual([one.get('a'), other.get('a')], [{ text: 'select 1' }, undefined])
})

test('what is kept is bounded by its texts, and what was used last stays', () => {
  const kept = keepCompiled<{ text: string }>(({ text }) => [text])
  const text = 'x'.repeat(1_000_000)
  kept.set('first', { text })
  for (let i = 0; i < 60; i += 1) {
    kept.set(`${i}`, { text })
    assert.ok(kept.get('first'))
  }
  const left = Array.from({ length: 60 }, (_, i) => kept.get(`${i}`)).filter(Boolean)
  assert.ok(left.length > 20 && left.length < 30, `${left.length} are left`)
  kept.set('too long', { text: text.repeat(40) })
  assert.equal(kept.get('too long'), undefined)
})
