/**
 * `npm run fuzz:documents`: what may not be read changes no byte of any answer, and neither does the path that an
 * operation takes. Two databases differ only in what a caller may not read; operations are made from the schema that the
 * caller is shown, and run on both, as the compiled statement and field by field (`--equality` for that alone). With `--cached`
 * all answers are kept in Redis, and half of the queries are asked by somebody else before.
 */
import { parseArgs } from 'node:util'
import { plant, plantableBugs } from './bugs.ts'

const usage = `npm run fuzz:documents -- [--json] [--operations 5000] [--seed N] [--principals guest,ann,bob,tia,key] [--equality] [--cached]
                          [--planted-bug ${plantableBugs.join('|')}]
`

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      operations: { type: 'string', default: '5000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      principals: { type: 'string' },
      cached: { type: 'boolean', default: false },
      equality: { type: 'boolean', default: false },
      'planted-bug': { type: 'string' },
    },
  })
  const [operations, seed] = [Number(values.operations), Number(values.seed)]
  if (!(operations > 0) || !Number.isInteger(seed)) throw new Error('--operations and --seed are whole numbers.')
  const plantedBug = values['planted-bug']
  return {
    json: values.json,
    operations,
    seed,
    names: values.principals?.split(','),
    plantedBug,
    pathsOnly: values.equality,
    cached: values.cached,
  }
}

async function main(): Promise<number> {
  const { json, plantedBug, ...options } = readOptions()
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  say(`seed ${options.seed}${plantedBug ? `, planted bug ${plantedBug}` : ''}`)
  const checkPlanted = plant(plantedBug)
  // Only what is loaded from here on has the bug in it.
  const { compare } = await import('./compare.ts')
  const outcome = await compare({ ...options, stopAtFirst: plantedBug !== undefined, signal: stopped.signal, say })
  checkPlanted()
  const { differences, unequal, internal } = outcome.result
  const isFound = differences + unequal + internal > 0
  if (!isFound) for (const reason of outcome.invalid) process.stderr.write(`The run is not valid: ${reason}\n`)
  if (json) say(JSON.stringify(outcome.result))
  return isFound ? 1 : outcome.invalid.length > 0 ? 2 : 0
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
