/** `npm run faults`: hurts what Tendril runs on, under load, and counts what was lost. See docs/decisions/0002. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { bugNames, bugs, readBug } from './bugs.ts'
import { check, type Findings, isClean, readRequests } from './checker.ts'
import type { Load, Requests } from './client.ts'
import { createRandom, type Fault, faults } from './faults.ts'
import { type Process, startProcess } from './processes.ts'
import { pathOf } from './project.ts'
import { recover } from './recover.ts'
import { type Options, type Stage, setStage } from './stage.ts'
import { upgrade } from './upgrade.ts'

export type Outcome = { fault: string; kills: number; maxRecoveryMs: number; broken: number } & Findings &
  Pick<Requests, 'failed' | 'untyped' | 'hung'>

const names = [...Object.keys(faults), 'upgrade']

const usage = `npm run faults -- [--json] [--seconds 180] [--seed N] [--only ${names.join(',')}]
                  [--planted-bug ${bugNames.join('|')}]
`

/** What is under way when the last kill is over must arrive within this time: a job whose worker is dead may wait for 90 s. */
const settleMs = 180_000
const patienceMs = 95_000
/** Where a bug is planted nobody waits for what it has lost. */
const plantedPatienceMs = 12_000
/** A planted bug is looked for until it shows, and no more often than this. */
const plantedRounds = 6

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '180' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string', default: names.join(',') },
      'planted-bug': { type: 'string' },
    },
  })
  const chosen = values.only.split(',')
  const unknown = chosen.filter((name) => !names.includes(name))
  if (unknown.length > 0) throw new Error(`There is no fault ${unknown.join(', ')}.`)
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds and --seed are numbers.')
  return { json: values.json, chosen, seconds, seed, plantedBug: readBug(values['planted-bug']) }
}

type Say = (line: string) => void

function startLoad({ dir, urls, project }: Stage, name: string): Process {
  const [, ann, bob] = project.principals.map(({ roles }) => roles?.at(-1) ?? '')
  const reads = (...roles: (string | undefined)[]) => roles.map((role = '') => ({ role, right: 'READ' as const }))
  const load: Load = {
    ...{ dir, name },
    urls: urls.map((url) => url + pathOf(project.id)),
    authorization: project.key,
    readers: [reads(ann), reads(bob), reads(ann, bob), reads('any'), []],
  }
  const args = [JSON.stringify(load)]
  return startProcess({
    name,
    file: 'src/testing/faults/client.ts',
    env: {},
    plantedBug: null,
    readyWhen: /ready/,
    args,
  })
}

async function tryFault(fault: Fault, stage: Stage, name: string, { seconds, seed, patienceMs, say }: Trial) {
  const random = createRandom(seed)
  const done = { kills: 0, maxRecoveryMs: 0, broken: 0 }
  const load = startLoad(stage, name)
  await load.ready
  for (const until = Date.now() + seconds * 1000; Date.now() < until || done.kills === 0; ) {
    await sleep(200 + random() * 800)
    const { since = performance.now(), broken = 0 } = (await fault(stage, random)) ?? {}
    const recoveryMs = await recover(stage, `${name}-probe${done.kills}`, { since, patienceMs })
    await stage.whole()
    done.kills += 1
    done.broken += broken + stage.deaths() + (recoveryMs === null ? 1 : 0)
    done.maxRecoveryMs = Math.max(done.maxRecoveryMs, recoveryMs ?? 0)
    say(`  ${done.kills} times, recovered after ${recoveryMs} ms`)
  }
  await load.stop()
  return done
}

/** Gives what is under way the time to arrive, as long as something still does. */
async function settle(look: () => Promise<Findings>, patienceMs: number): Promise<Findings> {
  let findings = await look()
  let movedAt = Date.now()
  for (const until = Date.now() + settleMs; Date.now() < until && Date.now() - movedAt < patienceMs; ) {
    // A little longer than it takes for the last to arrive: a duplicate would come after it.
    if (isClean(findings) && Date.now() - movedAt > 700) break
    await sleep(300)
    const next = await look()
    if (next.delivered !== findings.delivered || next.lost !== findings.lost) movedAt = Date.now()
    findings = next
  }
  return findings
}

/** How each fault is tried. */
type Trial = { seconds: number; seed: number; patienceMs: number; say: Say; round?: number }

async function runFault(name: string, fault: Fault, stage: Stage, trial: Trial): Promise<Outcome> {
  const { patienceMs, say, round = 0 } = trial
  const load = round > 0 ? `${name}-round${round}` : name
  say(`${load}:`)
  const done = await tryFault(fault, stage, load, trial)
  const { sql, dir, project, counts } = stage
  const findings = await settle(() => check({ sql, dir, project, effects: counts }, load), patienceMs)
  const { failed, untyped, hung, codes } = readRequests(dir, load)
  const outcome = { fault: name, ...done, ...findings, failed, untyped, hung }
  say(
    `  ${JSON.stringify({ ...outcome, answers: codes })
      .replaceAll('"', '')
      .slice(1, -1)
      .replaceAll(',', ', ')}`,
  )
  return outcome
}

/** Where a bug is planted: again and again, until the run finds it. */
async function tryUntilFound(bug: string | null, name: string, fault: Fault, stage: Stage, trial: Trial) {
  if (bug === null) return runFault(name, fault, stage, trial)
  for (let round = 1; ; round += 1) {
    const outcome = await runFault(name, fault, stage, { ...trial, seed: trial.seed + round, round })
    if (round === plantedRounds || isFound(bug, outcome)) return outcome
  }
}

const isFound = (bug: string, outcome: Outcome) => outcome[bugs[bug]?.shows ?? 'broken'] > 0

/** In order. That requests fail is forbidden where nothing breaks. */
function isInOrder(outcome: Outcome): boolean {
  const { fault, kills: _kills, maxRecoveryMs: _recovery, broken, failed, untyped, hung, ...findings } = outcome
  const mayFail = fault !== 'rolling-restart'
  return isClean(findings) && broken + untyped + hung === 0 && (mayFail || failed === 0)
}

/** One stage for all of them: what one fault leaves behind is there for the next. */
async function tryAll(chosen: readonly string[], options: Options, trial: Trial): Promise<Outcome[]> {
  const stage = await setStage(options)
  const outcomes: Outcome[] = []
  try {
    for (const name of chosen) {
      const fault = faults[name]
      if (fault) outcomes.push(await tryUntilFound(options.plantedBug, name, fault, stage, trial))
    }
    return outcomes
  } finally {
    await stage.close()
  }
}

async function main(): Promise<number> {
  const { json, chosen, seconds, seed, plantedBug } = readOptions()
  const say: Say = (line) => void process.stdout.write(`${line}\n`)
  say(`seed ${seed}${plantedBug ? `, planted bug ${plantedBug}` : ''}`)
  const outcomes: Outcome[] = []
  const patience = plantedBug === null ? patienceMs : plantedPatienceMs
  const trial = { seconds: seconds / chosen.length, seed, patienceMs: patience, say }
  const isOfMongo = (name: string) => name.startsWith('mongo-')
  for (const mongo of [false, true]) {
    const together = chosen.filter((name) => name !== 'upgrade' && isOfMongo(name) === mongo)
    if (together.length > 0) outcomes.push(...(await tryAll(together, { plantedBug, mongo, say }, trial)))
  }
  if (chosen.includes('upgrade')) {
    outcomes.push(
      await upgrade(plantedBug, say, (stage, fault) => tryUntilFound(plantedBug, 'upgrade', fault, stage, trial)),
    )
  }
  if (json) say(JSON.stringify({ faults: outcomes }))
  if (outcomes.some(({ committed, kills }) => committed === 0 || kills === 0)) return 2
  if (plantedBug !== null) return outcomes.every((outcome) => isFound(plantedBug, outcome)) ? 1 : 0
  return outcomes.every(isInOrder) ? 0 : 1
}

// What was started ends with this process, and so is what was mounted.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code))

// A bug is never planted where NODE_ENV says something else.
process.env.NODE_ENV ||= 'test'
process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`The run is not valid: ${error.stack}\n${usage}`)
  return 2
})
