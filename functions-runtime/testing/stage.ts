/** An executor for the tests of a file, and who asks it. Importing it starts one for the file that does. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { type Caller, program, startExecutor, type TestExecutor } from './executor.ts'

export let executor: TestExecutor
export let caller: Caller

before(async () => {
  executor = await startExecutor()
  caller = await executor.connect()
})
after(() => executor.stop())

type Asked = Parameters<Caller['run']>[1]

/** The answer of a program given as the text of its default export. */
export async function answerOf(source: string, asked: Asked = {}) {
  const answer = await caller.run(program(source), asked)
  assert.equal(answer.end.failure, null)
  return { ...answer.end.response, text: answer.text, body: answer.body }
}

/** Why it has none. */
export async function failureOf(source: string, asked: Asked = {}) {
  const { end } = await caller.run(program(source), asked)
  return end.failure ?? assert.fail(`It answered ${end.response?.status}`)
}
