/** Starts an executor here, runs a function and a build on it, and prints what came of it: for places where it may not be sealed. */
import { readFileSync } from 'node:fs'
import { tgz } from '../build/fixture.ts'
import { canSeal } from '../build/seal.ts'
import { program, startExecutor } from './executor.ts'

const executor = await startExecutor()
const caller = await executor.connect()
const { head } = await caller.next('welcome')
const answer = await caller.run(program('({ res }) => res.text("hello")'))
const build = { kind: 'build', id: 'b', tenant: 'prj_test', runtime: 'javascript', entrypoint: 'index.js' } as const
const archive = tgz({ 'index.js': 'export default () => 42' })
caller.send({ ...build, command: null, variables: {}, timeoutMs: 60_000 }, archive)
const built = await caller.next('built')
const told = {
  isSealed: head.isSealed,
  buildsSealed: canSeal(),
  answer: answer.text,
  failure: answer.end.failure,
  error: built.head.error,
  said: executor.said(),
  /** 2: a filter of system calls. */
  seccomp: /Seccomp:\s+(\d)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1],
}
process.stdout.write(`${JSON.stringify(told)}\n`)
await executor.stop()
process.exit(0)
