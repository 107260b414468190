/**
 * `npm run verify:sandbox -- [--json] [--only NAME] [--planted-bug plain-options]`: every file of functions-runtime/hostile
 * against a real executor, while another tenant makes steady calls. The last line is JSON. It ends with 0 when everything
 * was contained, with 1 when something was not, and with 2 when it could not be tried.
 */
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { program, startExecutor, type TestExecutor } from '../testing/executor.ts'
import { attempt, type Outcome, secrets } from './attempt.ts'
import { type Case, readCases } from './cases.ts'
import { startResolver, whyNoResolver } from './resolver.ts'
import { createWorld, outsideHost, type World } from './world.ts'

type Verdict = { cases: number; escaped: number; apiPidChanged: number; otherTenantFailures: number }

const plants: Record<string, string> = {
  'plain-options': resolve(import.meta.dirname, '../testing/plain-options.ts'),
  'executor-dies': resolve(import.meta.dirname, '../testing/dies.ts'),
}
const atOnce = 3

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    'planted-bug': { type: 'string' },
  },
})
const say = (line: string) => {
  if (!values.json) process.stdout.write(`${line}\n`)
}

/** Calls of a tenant that has nothing to do with any of this. */
async function beNeighbour(executor: TestExecutor, until: { isOver: boolean }): Promise<string[]> {
  const caller = await executor.connect()
  const source = program('({ req, res, env }) => res.text(req.path + env.SECRET.length)')
  const failures: string[] = []
  const variables = { SECRET: secrets.neighbour }
  for (let n = 0; !until.isOver; n += 1) {
    const asked = { tenant: 'prj_neighbour', token: 'run_prj_neighbour', variables, request: { url: `/${n}` } }
    const answer = await caller.run(source, asked).catch(() => null)
    if (!answer) return [...failures, 'The executor has gone.']
    const { end, text } = answer
    if (text !== `/${n}${secrets.neighbour.length}`) failures.push(end.failure?.message ?? text)
    await sleep(20)
  }
  return failures
}

const isAlive = ({ child }: TestExecutor) => child.exitCode === null && child.signalCode === null

/** That its connections have ended is known a moment sooner. */
async function hasDied(executor: TestExecutor): Promise<boolean> {
  if (isAlive(executor)) await sleep(200)
  return !isAlive(executor)
}

async function tryAll(executor: TestExecutor, cases: Case[], world: World): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const left = [...cases]
  const work = async () => {
    const caller = await executor.connect()
    for (let one = left.shift(); one && isAlive(executor); one = left.shift()) {
      const outcome = await attempt(caller, one)
      const reached = world.reached.splice(0).join(', ')
      outcome.breach ??= reached ? `It reached ${reached}.` : null
      say(
        `${outcome.breach ? 'ESCAPED  ' : 'contained'} ${one.name} ${outcome.ended} ${outcome.ms} ms ${outcome.breach ?? ''}`,
      )
      outcomes.push(outcome)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return outcomes
}

async function verify(flags: string[]): Promise<Verdict> {
  const world = await createWorld()
  const env = { EGRESS_ALLOW: `${outsideHost}/32`, TENDRIL_URL: world.apiUrl, EXECUTOR_SECRET: secrets.executor }
  const resolver = whyNoResolver() ? null : await startResolver([outsideHost, '127.0.0.1'])
  const executor = await startExecutor(env, flags, resolver?.within)
  const until = { isOver: false }
  try {
    const all = readCases(values.only, { CANARY: world.canary, OUTSIDE: world.outside })
    if (all.length === 0) throw new Error('There is no such file.')
    const cases = all.filter(({ marks }) => resolver || !marks.includes('resolver'))
    if (cases.length === 0) throw new Error(`It cannot be tried: ${whyNoResolver()}.`)
    for (const { name } of all)
      if (!cases.some((one) => one.name === name)) say(`not tried ${name}: ${whyNoResolver()}`)
    const neighbour = beNeighbour(executor, until)
    const outcomes = await tryAll(executor, cases, world)
    until.isOver = true
    const failures = await neighbour
    for (const failure of new Set(failures)) say(`The other tenant's call failed: ${failure}`)
    const escaped = outcomes.filter(({ breach }) => breach).length
    const apiPidChanged = (await hasDied(executor)) ? 1 : 0
    return { cases: outcomes.length, escaped, apiPidChanged, otherTenantFailures: failures.length }
  } finally {
    until.isOver = true
    await executor.stop()
    resolver?.close()
    world.close()
  }
}

function flagsOf(bug: string | undefined): string[] {
  if (bug === undefined) return []
  const plant = plants[bug]
  if (!plant) throw new Error(`There is no planted bug “${bug}”; there is ${Object.keys(plants).join(', ')}.`)
  return ['--import', plant]
}

try {
  const verdict = await verify(flagsOf(values['planted-bug']))
  const { escaped, apiPidChanged, otherTenantFailures } = verdict
  process.stdout.write(`${JSON.stringify(verdict)}\n`)
  process.exitCode = escaped + apiPidChanged + otherTenantFailures === 0 ? 0 : 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 2
}
