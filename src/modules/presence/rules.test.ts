import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireRight } from './rules.ts'

const guest = { actor: null }
const isMatch = (pattern: string, topic: string): boolean => {
  try {
    requireRight(guest, topic, 'join', [{ topics: pattern, join: ['any'], read: [] }])
    return true
  } catch {
    return false
  }
}

test('`*` in the topics of a rule stands for any text', () => {
  for (const [pattern, topic] of [
    ['room', 'room'],
    ['room:*', 'room:'],
    ['room:*', 'room:1'],
    ['*:1', 'room:1'],
    ['a*c*e', 'abcde'],
    ['a*a', 'aa'],
    ['*', 'room.1'],
    ['**', 'room'],
    ['r*o*o*m', 'room'],
  ] as const)
    assert.ok(isMatch(pattern, topic), `${pattern} ${topic}`)
  for (const [pattern, topic] of [
    ['room', 'rooms'],
    ['room.1', 'roomx1'],
    ['room:*', 'lobby:1'],
    ['a*a', 'a'],
    ['ab*ba', 'aba'],
    ['a*c*e', 'aecd'],
  ] as const)
    assert.ok(!isMatch(pattern, topic), `${pattern} ${topic}`)
})

// As a regular expression it would not end, and so fail by the test's time.
test('a rule with many of them is matched at once', () => {
  assert.ok(!isMatch(`${'*a'.repeat(60)}*b`, 'a'.repeat(127)))
})
