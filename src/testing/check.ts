/**
 * `npm run check`: format, lint, types, imports, generated files. People and CI run the same. All parts run, so that one
 * call tells everything that is wrong.
 */
import { spawn } from 'node:child_process'
import { root } from './imports.ts'

const node = process.execPath
const bin = (name: string) => [`node_modules/.bin/${name}`] as const

const parts: Record<string, readonly string[]> = {
  'format and lint': [...bin('biome'), 'ci', '--colors=off', '--error-on-warnings', '.'],
  types: [...bin('tsc'), '-p', '.'],
  imports: [node, 'src/testing/imports.ts'],
  'schema.graphql': [node, 'schema/print.ts', '--check'],
  pages: [node, 'src/testing/pages.ts', '--check'],
  mails: [node, 'src/mails/build.ts', '--check'],
  operations: [node, 'codegen.ts', '--check'],
}

type Outcome = { ok: boolean; output: string; seconds: number }

function run([command = '', ...args]: readonly string[]): Promise<Outcome> {
  const started = performance.now()
  const child = spawn(command, args, { cwd: root, env: { ...process.env, NO_COLOR: '1' } })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ ok: code === 0, output, seconds: (performance.now() - started) / 1000 }))
  })
}

let failed = 0
for (const [name, command] of Object.entries(parts)) {
  const { ok, output, seconds } = await run(command)
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)\n`)
  if (!ok) process.stdout.write(`${output.trim()}\n`)
  failed += ok ? 0 : 1
}
process.stdout.write(
  failed === 0 ? 'Everything is in order.\n' : `${failed} of ${Object.keys(parts).length} parts failed.\n`,
)
process.exit(failed === 0 ? 0 : 1)
