import { writeFileSync } from 'node:fs'
import type { Api } from '../api.ts'
import { type Asked, type Command, print, tell } from '../command.ts'
import { Failure } from '../failure.ts'
import { openBench } from './bench.ts'
import { readSchema, schemaFile } from './file.ts'
import { countLosses, describeLoss, describeObstacle, findObstacles, type Loss, type Obstacle } from './losses.ts'
import { planSteps } from './plan.ts'
import { printSchema } from './print.ts'
import { requireTypeNames } from './references.ts'
import { openRemote, type Remote } from './remote.ts'
import { runStep } from './run.ts'
import { describeStep, type Step } from './steps.ts'

const file = { type: 'string', says: `the file of the schema; ${schemaFile}, if left out` } as const
const fileUsage = `[--file ${schemaFile}]`

export const schemaPull: Command = {
  name: 'schema pull',
  usage: fileUsage,
  summary: "Writes the project's schema into a file.",
  options: { file },
  words: 0,
  run: async ({ values, api }) => {
    const remote = await openRemote(api())
    const path = fileOf(values)
    const shape = await remote.shape()
    writeFileSync(path, printSchema(shape))
    tell(`${path}: ${Object.keys(shape.collections).length} collections.`)
    return 0
  },
}

export const schemaDiff: Command = {
  name: 'schema diff',
  usage: `${fileUsage} [--json]`,
  summary: 'Tells what `schema push` would do. Exits with 2 if that is something.',
  options: { file, json: { type: 'boolean', says: 'as JSON, for programs' } },
  words: 0,
  run: async ({ values, api }) => {
    const { remote, steps, losses } = await planFile(fileOf(values), api())
    const obstacles = await findObstacles(remote, steps)
    const plan = { steps, losses, obstacles }
    print(values.json ? JSON.stringify(plan, null, 2) : describePlan(steps, losses, obstacles))
    return steps.length === 0 ? 0 : 2
  },
}

export const schemaPush: Command = {
  name: 'schema push',
  usage: `${fileUsage} [--allow-destructive]`,
  summary: "Makes the project's schema that of the file. Stops at the first step that fails.",
  options: { file, 'allow-destructive': { type: 'boolean', says: 'also do the steps that destroy data' } },
  words: 0,
  run: async (asked) => {
    const { remote, steps, losses } = await planFile(fileOf(asked.values), asked.api())
    tell(describePlan(steps, losses))
    if (steps.length === 0) return 0
    refuseLosses(asked, losses)
    const bench = await openBench(remote, async () => {})
    await runSteps(steps, (step) => runStep(bench, step))
    tell('Done.')
    return 0
  },
}

function fileOf(values: Asked['values']): string {
  return typeof values.file === 'string' ? values.file : schemaFile
}

/** What makes a server's schema that of a file. */
export async function planFile(path: string, api: Api) {
  const { shape, renames } = await readSchema(path)
  const remote: Remote = await openRemote(api)
  const there = await remote.shape()
  const steps = planSteps(there, shape, renames)
  requireTypeNames(path, steps)
  return { remote, there, shape, steps, losses: await countLosses(remote, steps) }
}

export function describePlan(
  steps: readonly Step[],
  losses: readonly Loss[],
  obstacles: readonly Obstacle[] = [],
): string {
  if (steps.length === 0) return 'Nothing to do.'
  const lines = steps.map((step) => {
    const loss = losses.find((one) => one.step === step)
    const obstacle = obstacles.find((one) => one.step === step)
    const warnings = [...(loss ? [describeLoss(loss)] : []), ...(obstacle ? [describeObstacle(obstacle)] : [])]
    return [describeStep(step), ...warnings].join('   ! ')
  })
  return lines.join('\n')
}

/** Throws Failure where data would be destroyed and nobody has said that it may be. */
export function refuseLosses({ values }: Asked, losses: readonly Loss[]): void {
  if (losses.length === 0 || values['allow-destructive']) return
  throw new Failure('The lines with “!” destroy data. Say --allow-destructive if they are to; nothing was done.')
}

/** Does the steps in turn, and tells of each. `begin` is how many are done already. */
export async function runSteps(
  steps: readonly Step[],
  run: (step: Step, position: number) => Promise<void>,
  begin = 0,
): Promise<void> {
  for (const [i, step] of steps.entries()) {
    if (i < begin) continue
    const line = `[${i + 1}/${steps.length}] ${describeStep(step)}`
    try {
      await run(step, i)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      throw new Failure(`${line}\n  failed: ${error.message}\n${i} of ${steps.length} steps are done.`)
    }
    tell(line)
  }
}
