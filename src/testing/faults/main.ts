/** `npm run faults`: kills what Tendril runs on, under load, and counts what was lost. See docs/decisions/0002. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type PlantedBug, plantedBugs, readPlantedBug } from '../planted.ts'
import { check, type Findings, isClean } from './checker.ts'
import { createRandom, type Fault, faults } from './faults.ts'
import { findServer, type Stage, setStage } from './stage.ts'

type Outcome = { fault: string; kills: number } & Findings

const usage = `npm run faults -- [--json] [--seconds 60] [--seed N] [--only ${Object.keys(faults).join(',')}]
                  [--planted-bug ${plantedBugs.join('|')}]
`

/** What is under way when the last kill is over must arrive within this time. */
const settleMs = 15_000

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string', default: Object.keys(faults).join(',') },
      'planted-bug': { type: 'string' },
    },
  })
  const names = values.only.split(',')
  const unknown = names.filter((name) => !(name in faults))
  if (unknown.length > 0) throw new Error(`There is no fault ${unknown.join(', ')}.`)
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds and --seed are numbers.')
  return { json: values.json, names, seconds, seed, plantedBug: readPlantedBug(values['planted-bug']) }
}

async function tryFault(
  fault: Fault,
  stage: Stage,
  seconds: number,
  random: () => number,
  say: (line: string) => void,
) {
  let kills = 0
  for (const until = Date.now() + seconds * 1000; Date.now() < until; ) {
    await sleep(200 + random() * 800)
    await fault(stage, random)
    kills += 1
    say(`  ${kills} kills`)
  }
  await stage.client.stop()
  return kills
}

/** Gives what is under way the time to arrive, as long as something still does. */
async function settle(stage: Stage): Promise<Findings> {
  const look = () => check(stage.sql, stage.dir, ['sink-1', 'sink-2'])
  let findings = await look()
  let movedAt = Date.now()
  for (const until = Date.now() + settleMs; Date.now() < until && Date.now() - movedAt < 4_000; ) {
    // A little longer than it takes for the last to arrive: a duplicate would come after it.
    if (isClean(findings) && Date.now() - movedAt > 500) break
    await sleep(200)
    const next = await look()
    if (next.delivered !== findings.delivered) movedAt = Date.now()
    findings = next
  }
  return findings
}

async function main(): Promise<number> {
  const { json, names, seconds, seed, plantedBug } = readOptions()
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  say(`seed ${seed}${plantedBug ? `, planted bug ${plantedBug}` : ''}`)
  const server = await findServer(say)
  const outcomes: Outcome[] = []
  try {
    for (const name of names)
      outcomes.push(await runFault(name, server.url, seconds / names.length, seed, plantedBug, say))
  } finally {
    await server.stop()
  }
  if (json) say(JSON.stringify({ faults: outcomes }))
  if (outcomes.some(({ committed, kills }) => committed === 0 || kills === 0)) return 2
  return outcomes.every(isClean) ? 0 : 1
}

async function runFault(
  name: string,
  serverUrl: string,
  seconds: number,
  seed: number,
  plantedBug: PlantedBug | null,
  say: (line: string) => void,
): Promise<Outcome> {
  const fault = faults[name]
  if (!fault) throw new Error(`There is no fault ${name}.`)
  say(`${name}: setting up`)
  const stage = await setStage(serverUrl, seed, plantedBug)
  try {
    const kills = await tryFault(fault, stage, seconds, createRandom(seed), say)
    const outcome = { fault: name, kills, ...(await settle(stage)) }
    const { committed, delivered, lost, duplicated, outOfOrder, phantom, gaps } = outcome
    say(
      `${name}: ${kills} kills, ${committed} committed, ${delivered} delivered, ${lost} lost, ${duplicated} duplicated, ` +
        `${outOfOrder} out of order, ${phantom} never committed, ${gaps} numbers missing`,
    )
    return outcome
  } finally {
    await stage.close()
  }
}

// A bug is never planted where NODE_ENV says something else.
process.env.NODE_ENV ||= 'test'
process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`The run is not valid: ${error.message}\n${usage}`)
  return 2
})
