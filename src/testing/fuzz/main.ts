/** `npm run fuzz:documents`: what may not be read changes no byte of any answer. */
import { parseArgs } from 'node:util'
import { plant, plantableBugs } from './bugs.ts'

const usage = `npm run fuzz:documents -- [--json] [--operations 5000] [--seed N] [--principals guest,ann,bob,tia,key]
                          [--planted-bug ${plantableBugs.join('|')}]
`

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      operations: { type: 'string', default: '5000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      principals: { type: 'string' },
      'planted-bug': { type: 'string' },
    },
  })
  const [operations, seed] = [Number(values.operations), Number(values.seed)]
  if (!(operations > 0) || !Number.isInteger(seed)) throw new Error('--operations and --seed are whole numbers.')
  const plantedBug = values['planted-bug']
  return { json: values.json, operations, seed, names: values.principals?.split(','), plantedBug }
}

async function main(): Promise<number> {
  const { json, operations, seed, names, plantedBug } = readOptions()
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  say(`seed ${seed}${plantedBug ? `, planted bug ${plantedBug}` : ''}`)
  const checkPlanted = plant(plantedBug)
  // Only what is loaded from here on has the bug in it.
  const { compare } = await import('./compare.ts')
  const outcome = await compare({ operations, seed, names, stopAtFirst: plantedBug !== undefined, say })
  checkPlanted()
  const isFound = outcome.result.differences > 0
  if (!isFound) for (const reason of outcome.invalid) process.stderr.write(`The run is not valid: ${reason}\n`)
  if (json) say(JSON.stringify(outcome.result))
  return isFound ? 1 : outcome.invalid.length > 0 ? 2 : 0
}

// Code is never changed where NODE_ENV says something else.
process.env.NODE_ENV ||= 'test'
process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`The run is not valid: ${error.stack}\n${usage}`)
  return 2
})
