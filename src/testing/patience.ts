/** For tests of what takes as long as the machine is busy. Importing it gives every test of the file its time. */
import { beforeEach } from 'node:test'

/** Of each such test, as an option of it: more than a test has otherwise. */
export const patient = { timeout: 200_000 }

/** Left for saying what did not come. */
const lastMs = 5_000

let end = 0
beforeEach(() => {
  end = performance.now() + patient.timeout - lastMs
})

/** How long the test that runs may go on waiting: all that it waits for has its time together. */
export const patienceMs = (): number => Math.max(0, end - performance.now())
