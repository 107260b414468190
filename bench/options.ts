import { parseArgs } from 'node:util'
import { say } from './say.ts'

export type Options = { json: boolean; quick: boolean; rounds: number; seconds: number; plantedBug: string | null }

/** How long a benchmark takes when nobody says otherwise, and what can be broken in it, to see that it tells. */
export type Defaults = { rounds: number; seconds: number; bugs?: readonly string[] }

/** The options of every benchmark. `quick` is so short that its figures mean nothing: it shows that the run is valid. */
function readOptions(defaults: Defaults): Options {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'planted-bug': { type: 'string' },
    },
  })
  const quick = values.quick ? { rounds: 1, seconds: 0.3 } : {}
  const { rounds, seconds } = { ...defaults, ...quick }
  const options = { rounds: Number(values.rounds ?? rounds), seconds: Number(values.seconds ?? seconds) }
  if (!Number.isInteger(options.rounds) || options.rounds < 1) throw new Error('--rounds is a whole number from 1.')
  if (!(options.seconds > 0)) throw new Error('--seconds is a number above 0.')
  const bug = values['planted-bug'] ?? null
  if (bug !== null && !defaults.bugs?.includes(bug)) throw new Error(`There is no bug "${bug}" to plant here.`)
  if (bug !== null && process.env.NODE_ENV !== 'test')
    throw new Error('A bug is planted only where NODE_ENV is "test".')
  return { json: values.json, quick: values.quick, ...options, plantedBug: bug }
}

/** What the run found. `broken` are invariants that did not hold. */
export type Outcome = { figures: object; broken: readonly string[] }

/** Runs a benchmark as a command: exit 0 when the run is valid, 1 when an invariant broke, 2 when it is not valid. */
export async function runBenchmark(
  usage: string,
  defaults: Defaults,
  run: (options: Options) => Promise<Outcome>,
): Promise<void> {
  process.env.NODE_ENV ||= 'test'
  try {
    const options = readOptions(defaults)
    const { figures, broken } = await run(options)
    for (const line of broken) say(`BROKEN: ${line}`)
    if (options.json) say(JSON.stringify(figures))
    process.exitCode = broken.length > 0 ? 1 : 0
  } catch (error) {
    process.stderr.write(`The run is not valid: ${error instanceof Error ? error.message : error}\n${usage}\n`)
    process.exitCode = 2
  }
}
