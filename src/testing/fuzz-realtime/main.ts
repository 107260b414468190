/**
 * `npm run fuzz:realtime`: a subscription tells what a query would. Generated subscriptions of guests, users and a key
 * listen over WebSocket and server-sent events, lose their connections and come back, while documents, permissions, rules,
 * rights on fields and the users' roles change; what they are told is compared with what the query path answers.
 */
import { parseArgs } from 'node:util'
import { plant, plantableBugs } from './bugs.ts'

const usage = `npm run fuzz:realtime -- [--json] [--deliveries 20000] [--subscriptions 60] [--seed N]
                         [--planted-bug ${plantableBugs.join('|')}]
`

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      deliveries: { type: 'string', default: '20000' },
      subscriptions: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'planted-bug': { type: 'string' },
    },
  })
  const [deliveries, subscriptions, seed] = [values.deliveries, values.subscriptions, values.seed].map(Number)
  if (
    !deliveries ||
    !subscriptions ||
    ![deliveries, subscriptions].every((count) => count > 0) ||
    !Number.isInteger(seed)
  )
    throw new Error('--deliveries, --subscriptions and --seed are whole numbers.')
  return { json: values.json, deliveries, subscriptions, seed: seed ?? 0, plantedBug: values['planted-bug'] }
}

async function main(): Promise<number> {
  const { json, plantedBug, ...options } = readOptions()
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  say(`seed ${options.seed}${plantedBug ? `, planted bug ${plantedBug}` : ''}`)
  const checkPlanted = plant(plantedBug)
  // Only what is loaded from here on has the bug in it.
  const { fuzz, weaknesses } = await import('./run.ts')
  const result = await fuzz({ ...options, stopAtFirst: plantedBug !== undefined, signal: stopped.signal, say })
  checkPlanted()
  const { deliveries, extra, missing, bursts, flips, flipsDuringBursts } = result
  say(
    `${deliveries} deliveries in ${bursts} bursts, ${flips} + ${flipsDuringBursts} flips: ${extra} extra, ${missing} missing`,
  )
  if (json) say(JSON.stringify(result))
  if (extra + missing > 0) return 1
  const weak = weaknesses(result)
  for (const reason of weak) process.stderr.write(`The run is not valid: ${reason}\n`)
  return weak.length > 0 ? 2 : 0
}

const stopped = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stopped.abort(new Error(`The run was ended by ${name}.`)))
}

// Code is never changed where NODE_ENV says something else.
process.env.NODE_ENV ||= 'test'
process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`The run is not valid: ${error.stack}\n${usage}`)
  return 2
})
