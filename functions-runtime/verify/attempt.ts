import type { Answer, Caller } from '../testing/executor.ts'
import type { Case } from './cases.ts'

/** What nothing that comes out of a run may hold: our paths, and secrets of others. */
export const secrets = { neighbour: 'variable-of-the-neighbour', executor: 'secret-of-the-executor' }
const leaks = [
  ...Object.values(secrets),
  'run_neighbour',
  process.cwd(),
  'node_modules',
  'node:internal',
  'isolated-vm',
  'ESCAPED',
]

/** Enough for what waits to be ended; what shall end by itself has longer, also on a machine that is busy. */
const shortMs = 400
const longMs = 6_000
/** Enough to fill a memory. */
const fillMs = 1_500
/** Longest that a run may take until the caller has its end, whatever it does: its process may have to be started and killed. */
const longestMs = 12_000

function timeOf(expect: readonly string[]): number {
  if (!expect.includes('TIMEOUT')) return longMs
  return expect.includes('MEMORY') ? fillMs : shortMs
}

export type Outcome = { name: string; ended: string; ms: number; breach: string | null }

/** Runs one attempt as a tenant of its own, and says what is wrong with how it ended; null when nothing is. */
export async function attempt(caller: Caller, one: Case): Promise<Outcome> {
  const begun = performance.now()
  const answers: Answer[] = []
  for (let n = one.marks.includes('twice') ? 2 : 1; n > 0; n -= 1) {
    const answer = await runOnce(caller, one)
    if (!answer)
      return { name: one.name, ended: 'NOTHING', ms: longestMs, breach: 'The caller was never told its end.' }
    answers.push(answer)
  }
  const ms = Math.round(performance.now() - begun)
  const ends = answers.map(({ end }) => end.failure?.reason ?? 'ANSWER')
  const unexpected = ends.find((end) => !one.expect.includes(end))
  const breach = unexpected ? `It ended as ${unexpected}: ${told(answers)}` : leakOf(answers)
  return { name: one.name, ended: ends.join(' '), ms, breach }
}

function runOnce(caller: Caller, { name, source, marks, expect }: Case): Promise<Answer | null> {
  const tenant = `prj_${name}`
  const asked = caller.run(source, {
    tenant,
    functionId: `fun_${name}`,
    token: `run_${tenant}`,
    limits: { timeoutMs: timeOf(expect), memoryMb: 64 },
    isStreamed: marks.includes('streamed'),
  })
  let timer: NodeJS.Timeout
  const late = new Promise<null>((done) => {
    timer = setTimeout(done, longestMs, null)
  })
  // Whoever's executor has gone is not told either.
  return Promise.race([asked.catch(() => null), late]).finally(() => clearTimeout(timer))
}

const told = (answers: readonly Answer[]) =>
  answers.map(({ end, text }) => (end.failure ? end.failure.message : text).slice(0, 200)).join(' | ')

function leakOf(answers: readonly Answer[]): string | null {
  const all = answers.map(({ end, text, chunks }) => JSON.stringify([end, text, chunks.map(String)])).join('\n')
  const leak = leaks.find((one) => all.includes(one))
  return leak ? `It came out with “${leak}”: ${told(answers)}` : null
}
