import { randomUUID } from 'node:crypto'
import { type Asked, type Command, print, tell } from '../command.ts'
import { Failure } from '../failure.ts'
import { openBench } from './bench.ts'
import { describePlan, planFile, refuseLosses, runSteps } from './commands.ts'
import { schemaFile } from './file.ts'
import { countLosses } from './losses.ts'
import { type Migration, readMigrations, writeMigration } from './migration-files.ts'
import { planSteps, reverseRenames } from './plan.ts'
import { openRemote, type Remote } from './remote.ts'
import { runStep } from './run.ts'
import type { Step } from './steps.ts'
import { openVersions, type Version, type Versions } from './versions.ts'

const folderOption = { folder: { type: 'string', says: 'where the migrations are; migrations, if left out' } } as const
const destructive = {
  'allow-destructive': { type: 'boolean', says: 'also do the steps that destroy data' },
} as const
const folderUsage = '[--folder migrations]'

export const migrationNew: Command = {
  name: 'schema migration new',
  usage: `NAME [--file ${schemaFile}] ${folderUsage}`,
  summary: 'Writes a migration from the schema that the project has to that of the file, and the way back.',
  options: { ...folderOption, file: { type: 'string', says: `the file of the schema; ${schemaFile}, if left out` } },
  words: 1,
  run: async ({ values, words: [name = ''], api }) => {
    const path = typeof values.file === 'string' ? values.file : schemaFile
    const { remote, there, shape, steps, losses } = await planFile(path, api())
    const { pending } = await compare(remote, folderOf(values))
    const [first] = pending
    if (first)
      throw new Failure(`“${first.name}” is not applied yet: the project has to be where the last migration ends.`)
    if (steps.length === 0) throw new Failure('There is nothing to migrate: the project has the schema of the file.')
    const down = planSteps(shape, there, reverseRenames(steps))
    print(writeMigration(folderOf(values), name, new Date(), { up: steps, down }))
    tell(describePlan(steps, losses))
    return 0
  },
}

export const migrationPlan: Command = {
  name: 'schema migration plan',
  usage: `${folderUsage} [--json]`,
  summary: 'Tells what `schema migration apply` would do. Exits with 2 if that is something.',
  options: { ...folderOption, json: { type: 'boolean', says: 'as JSON, for programs' } },
  words: 0,
  run: async ({ values, api }) => {
    const remote = await openRemote(api())
    const { pending } = await compare(remote, folderOf(values))
    const losses = await countLosses(
      remote,
      pending.flatMap(({ up }) => up),
    )
    if (values.json)
      print(JSON.stringify({ migrations: pending.map(({ name, up }) => ({ name, steps: up })), losses }, null, 2))
    else if (pending.length === 0) print('Nothing to do.')
    else for (const { name, up } of pending) print(`${name}\n${indent(describePlan(up, losses))}`)
    return pending.length === 0 ? 0 : 2
  },
}

export const migrationApply: Command = {
  name: 'schema migration apply',
  usage: `${folderUsage} [--allow-destructive]`,
  summary: 'Applies the migrations that the project does not have, and goes on with one that was left half applied.',
  options: { ...folderOption, ...destructive },
  words: 0,
  run: async (asked) => {
    const remote = await openRemote(asked.api())
    const { pending, versions, applied } = await compare(remote, folderOf(asked.values))
    const losses = await countLosses(
      remote,
      pending.flatMap(({ up }) => up),
    )
    for (const { name, up } of pending) tell(`${name}\n${indent(describePlan(up, losses))}`)
    refuseLosses(asked, losses)
    let last = applied.filter(({ status }) => status === 'APPLIED').at(-1)?.name
    for (const migration of pending) {
      await follow(remote, versions, migration.up, (lease) => versions.begin(migration, lease, last))
      last = migration.name
    }
    tell(pending.length === 0 ? 'Nothing to do.' : `Applied: ${pending.map(({ name }) => name).join(', ')}.`)
    return 0
  },
}

export const migrationRollback: Command = {
  name: 'schema migration rollback',
  usage: `[--to NAME] ${folderUsage} [--allow-destructive]`,
  summary: 'Undoes the last migration, or all that came after the one named.',
  options: {
    ...folderOption,
    ...destructive,
    to: { type: 'string', says: 'undo all that came after this one, and leave it applied' },
  },
  words: 0,
  run: async (asked) => {
    const remote = await openRemote(asked.api())
    const { applied, versions } = await compare(remote, folderOf(asked.values))
    const undone = chosen(applied, asked.values.to).map((version) => ({ ...version, down: stepsOf(version) }))
    const losses = await countLosses(
      remote,
      undone.flatMap(({ down }) => down),
    )
    for (const { name, down } of undone) tell(`${name}\n${indent(describePlan(down, losses))}`)
    refuseLosses(asked, losses)
    for (const { name, down } of undone) {
      await follow(remote, versions, down, (lease) => versions.beginRollback(name, down.length, lease))
    }
    tell(undone.length === 0 ? 'Nothing to do.' : `Rolled back: ${undone.map(({ name }) => name).join(', ')}.`)
    return 0
  },
}

export const migrationStatus: Command = {
  name: 'schema migration status',
  usage: `${folderUsage} [--json]`,
  summary: 'Lists the migrations and how they stand.',
  options: { ...folderOption, json: { type: 'boolean', says: 'as JSON, for programs' } },
  words: 0,
  run: async ({ values, api }) => {
    const { applied, pending } = await compare(await openRemote(api()), folderOf(values), false)
    const lines = [
      ...applied.map(({ name, status, done, steps, appliedAt, note }) => ({
        name,
        status,
        done,
        steps,
        appliedAt,
        note,
      })),
      ...pending
        .filter(({ name }) => !applied.some((version) => version.name === name))
        .map(({ name, up }) => ({ name, status: 'PENDING', done: 0, steps: up.length, appliedAt: null, note: null })),
    ]
    if (values.json) print(JSON.stringify(lines, null, 2))
    else if (lines.length === 0) print('There are no migrations.')
    else print(lines.map(describe).join('\n'))
    return 0
  },
}

function describe({
  name,
  status,
  done,
  steps,
  note,
}: Pick<Version, 'name' | 'done' | 'steps'> & { status: string; note: string | null }): string {
  const progress = status === 'APPLIED' || status === 'PENDING' ? '' : ` ${done}/${steps}`
  return `${status.padEnd(12)} ${name}${progress}${note ? ` (${note})` : ''}`
}

function folderOf(values: Asked['values']): string {
  return typeof values.folder === 'string' ? values.folder : 'migrations'
}

type Compared = { versions: Versions; applied: (Version & { note: string | null })[]; pending: Migration[] }

/** What the project has, and what of the folder it has not. Throws Failure for a file that was changed after it was begun, unless `strict` is false. */
async function compare(remote: Remote, folder: string, strict = true): Promise<Compared> {
  const versions = openVersions(remote.api)
  const files = readMigrations(folder)
  const applied = (await versions.list()).map((version) => {
    const file = files.find(({ name }) => name === version.name)
    const note = !file ? 'its file is missing' : file.checksum !== version.checksum ? 'its file was changed' : null
    return { ...version, note }
  })
  const changed = applied.find(({ note }) => note === 'its file was changed')
  if (strict && changed) {
    throw new Failure(
      `${folder}/${changed.name}.json was changed after it was applied. Bring it back, or roll it back first.`,
    )
  }
  const done = new Set(applied.filter(({ status }) => status !== 'APPLYING').map(({ name }) => name))
  return { versions, applied, pending: files.filter(({ name }) => !done.has(name)) }
}

/** Newest first. */
function chosen<T extends Version>(applied: readonly T[], to: string | boolean | undefined): T[] {
  if (typeof to !== 'string') return applied.slice(-1)
  const at = applied.findIndex(({ name }) => name === to)
  if (at < 0) throw new Failure(`There is no applied migration ${to}.`)
  return applied.slice(at + 1).reverse()
}

function stepsOf({ name, rollback }: Version): Step[] {
  try {
    const steps = JSON.parse(rollback)
    if (Array.isArray(steps)) return steps
  } catch {}
  throw new Failure(`What the server has of ${name} cannot undo it.`)
}

/** Does the steps of a migration under a lease, and tells the server of each. */
async function follow(
  remote: Remote,
  versions: Versions,
  steps: readonly Step[],
  begin: (lease: string) => Promise<Version>,
): Promise<void> {
  const lease = randomUUID()
  const { name, done } = await begin(lease)
  let position = done
  let renewed = Date.now()
  const renew = async () => {
    if (Date.now() - renewed < versions.renewMs) return
    renewed = Date.now()
    await versions.advance(name, lease, position)
  }
  try {
    const bench = await openBench(remote, renew)
    const run = async (step: Step, i: number) => {
      await runStep(bench, step)
      position = i + 1
      renewed = Date.now()
      await versions.advance(name, lease, position)
    }
    await runSteps(steps, run, done)
    if (steps.length === 0) await versions.advance(name, lease, 0)
  } catch (error) {
    await versions.leave(name, lease, position)
    if (!(error instanceof Failure)) throw error
    throw new Failure(
      `${name}: ${error.message}\nCall the same again to go on behind them, or \`tendril schema migration rollback\`.`,
    )
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
