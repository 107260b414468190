/** An executor for the tests of a file, and who asks it. Importing it starts one for the file that does. */
import { after, before } from 'node:test'
import { type Caller, startExecutor, type TestExecutor } from './executor.ts'

export let executor: TestExecutor
export let caller: Caller

before(async () => {
  executor = await startExecutor()
  caller = await executor.connect()
})
after(() => executor.stop())
