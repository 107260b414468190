import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Failure } from '../failure.ts'

/** Where a transfer stands, in a file beside the one that it is about. */
export type State<Position> = {
  /** Of the transfer that broke off. Throws Failure where there is none, or it was another one. */
  read: () => Position
  /** Now and then; with `now` at once. */
  write: (position: Position, now?: boolean) => void
  remove: () => void
}

const everyMs = 300

/** `what` names the transfer: one of something else is not gone on with. */
export function openState<Position>(path: string, what: Readonly<Record<string, string>>): State<Position> {
  let written = 0
  return {
    read: () => {
      if (!existsSync(path)) throw new Failure(`There is nothing to resume: ${path} is not there.`)
      const state = parse(path)
      const other = Object.keys(what).find((name) => state.what?.[name] !== what[name])
      if (other) throw new Failure(`${path} is of another ${other}: ${state.what?.[other]}.`)
      return state.position as Position
    },
    write: (position, now = false) => {
      if (!now && performance.now() - written < everyMs) return
      written = performance.now()
      // Whole or not at all, whenever this process ends.
      writeFileSync(`${path}.new`, JSON.stringify({ what, position }))
      renameSync(`${path}.new`, path)
    },
    remove: () => rmSync(path, { force: true }),
  }
}

function parse(path: string): { what?: Record<string, string>; position?: unknown } {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw new Failure(`${path} cannot be read: begin anew, without --resume.`)
  }
}
