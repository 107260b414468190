/** The hostile corpus: one file for each attempt, which says in its first lines what has to become of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { transformSync } from 'esbuild'

const folder = resolve(import.meta.dirname, '../hostile')

export type Case = {
  name: string
  /** What the run may end as: `ANSWER`, or the reason of its failure. */
  expect: readonly string[]
  /** How the run is asked for: `streamed`, `twice`; or that it needs `resolver`, a name server of its own. */
  marks: readonly string[]
  source: string
}

/** What a file calls the servers that it tries to reach, and where they are. */
export type Places = { CANARY: string; OUTSIDE: string }

export function readCases(only: string, places: Places): Case[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.js') && file.startsWith(only))
    .sort()
    .map((file) => readCase(file.slice(0, -3), readFileSync(resolve(folder, file), 'utf8'), places))
}

function readCase(name: string, text: string, places: Places): Case {
  const head = text.split('\n').filter((line) => line.startsWith('// '))
  const mark = (key: string) => head.find((line) => line.startsWith(`// ${key}: `))?.slice(key.length + 5)
  const expect = mark('expect')?.split(' ')
  if (!expect) throw new Error(`${name} does not say what it expects.`)
  const placed = text.replaceAll('CANARY', places.CANARY).replaceAll('OUTSIDE', places.OUTSIDE)
  const options = { format: 'iife', globalName: '__function', target: 'es2024', sourcemap: 'inline' } as const
  const { code } = transformSync(placed, { ...options, sourcefile: `${name}.js` })
  const raw = mark('raw') ?? ''
  const map = mark('map') ? `//# sourceMappingURL=data:application/json;base64,${bomb()}` : ''
  const marks = ['streamed', 'twice', 'resolver'].filter((one) => head.includes(`// ${one}`))
  return { name, expect, marks, source: `${raw}${code}${map}` }
}

/** A source map of a few hundred KB that says it has millions of lines. */
function bomb(): string {
  const map = { version: 3, sources: ['x.js'], names: [], mappings: ';'.repeat(3e5) + 'AAAA,'.repeat(2e5) }
  return Buffer.from(JSON.stringify(map)).toString('base64')
}
