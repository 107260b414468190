import type { SourceMap } from 'node:module'
import { nodeModule } from './later.ts'

/** The name under which programs are compiled; nothing of ours is called so. */
export const programFile = 'function.js'

const marker = '//# sourceMappingURL=data:application/json'

/** A bundle and the source map at its end, which is only read when something has failed. */
export function splitSourceMap(text: string): { code: string; map: string | null } {
  const at = text.lastIndexOf(marker)
  if (at < 0) return { code: text, map: null }
  return { code: text.slice(0, at), map: text.slice(text.indexOf(',', at) + 1).trim() }
}

export type MapStack = (stack: string) => string

/** Puts positions in the program's own sources into a stack, and takes out what is not the program's. */
export function createStackMapping(map: string | null): MapStack {
  let parsed: SourceMap | null | undefined
  const open = () => {
    if (parsed === undefined) parsed = map === null ? null : parse(map)
    return parsed
  }
  return (stack) =>
    stack
      .split('\n')
      .filter((line) => !/^\s+at /.test(line) || line.includes(programFile))
      .map((line) =>
        line
          .replace(
            /function\.js:(\d+):(\d+)/g,
            (found, row, column) => position(open(), Number(row), Number(column)) ?? found,
          )
          .replace(/ ?\(?function\.js\)?$/, ''),
      )
      .filter((line) => !/^\s+at *$/.test(line))
      .slice(0, 30)
      .join('\n')
}

function parse(map: string): SourceMap | null {
  try {
    return new (nodeModule().SourceMap)(JSON.parse(Buffer.from(map, 'base64').toString('utf8')))
  } catch {
    return null
  }
}

function position(map: SourceMap | null, row: number, column: number): string | null {
  const entry = map?.findEntry(row - 1, column - 1)
  if (!entry || !('originalSource' in entry)) return null
  const file = String(entry.originalSource).replace(/^(\.\.?\/)+/, '')
  return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
}
