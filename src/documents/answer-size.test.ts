import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitExceeded } from '../errors.ts'
import { answerBytes, bytesLeft, countAnswer } from './answer-size.ts'

test('small answers count as large ones do', () => {
  const answered = { bytes: 0 }
  const answer = 'ä'.repeat(50_000)
  for (let i = 0; i < answerBytes / 100_000; i += 1) countAnswer(answered, answer)
  assert.equal(bytesLeft(answered), 0)
  assert.throws(() => countAnswer(answered, 'a'), LimitExceeded)
})
