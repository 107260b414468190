import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program of that name lies on the PATH or in one of the folders given. */
export function findExecutable(name: string, ...folders: string[]): string | undefined {
  const places = [...folders, ...(process.env.PATH ?? '').split(delimiter)].filter(Boolean)
  return places
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** The first version number in what a program says of itself, as [major, minor]. */
export function versionOf(command: string, ...args: string[]): [number, number] {
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' })
  const found = /(\d+)\.(\d+)/.exec(stdout ?? '')
  return [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)]
}
