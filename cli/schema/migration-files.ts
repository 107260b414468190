import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../failure.ts'
import type { Step } from './steps.ts'

/** A migration as its file has it: JSON, so that to read it is to know all that it does. */
export type Migration = { name: string; checksum: string; up: readonly Step[]; down: readonly Step[] }

const pattern = /^\d{14}_[a-z0-9_]{1,48}$/

/** The migrations of a folder, in their order. */
export function readMigrations(folder: string): Migration[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return files.sort().map((file) => readMigration(folder, file.slice(0, -'.json'.length)))
}

function readMigration(folder: string, name: string): Migration {
  const path = join(folder, `${name}.json`)
  if (!pattern.test(name)) throw new Failure(`${path} is no name of a migration: 14 digits, _ and a few small letters.`)
  const bytes = readFileSync(path)
  const { up, down } = parse(path, bytes.toString())
  // Line ends differ between machines, and mean nothing.
  const checksum = createHash('sha256').update(bytes.toString().replaceAll('\r\n', '\n')).digest('hex')
  return { name, checksum, up, down }
}

function parse(path: string, text: string): { up: Step[]; down: Step[] } {
  try {
    const { up, down } = JSON.parse(text)
    if (Array.isArray(up) && Array.isArray(down)) return { up, down }
  } catch (error) {
    throw new Failure(`${path} is no JSON: ${(error as Error).message}`)
  }
  throw new Failure(`${path} needs the lists “up” and “down”.`)
}

function lastOf(folder: string): string | undefined {
  const names = existsSync(folder) ? readdirSync(folder).map((file) => file.slice(0, -'.json'.length)) : []
  return names
    .filter((name) => pattern.test(name))
    .sort()
    .at(-1)
}

/** The time, or the next number where another migration of this second, or of a clock that is ahead, would come behind it. */
function stampAfter(last: string | undefined, at: Date): string {
  const now = Number(at.toISOString().replace(/\D/g, '').slice(0, 14))
  return `${Math.max(now, Number(last?.slice(0, 14) ?? 0) + 1)}`
}

/** Writes a new migration, and answers its path. */
export function writeMigration(folder: string, words: string, at: Date, steps: Pick<Migration, 'up' | 'down'>): string {
  const slug = words.toLowerCase().replace(/[^a-z0-9]+/g, '_')
  const name = `${stampAfter(lastOf(folder), at)}_${slug}`
  if (!pattern.test(name)) throw new Failure('A migration is named with up to 48 letters, digits and _.')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.json`)
  writeFileSync(path, `${JSON.stringify({ up: steps.up, down: steps.down }, null, 2)}\n`, { flag: 'wx' })
  return path
}
