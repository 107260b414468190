/** Writes `.env.example` from `src/env.ts`. With `--check` it only says whether it is current. */
import { readFileSync, writeFileSync } from 'node:fs'
import { variables } from '../env.ts'

const file = new URL('../../.env.example', import.meta.url)
const entries = Object.entries(variables).map(([name, variable]) => {
  const parsed = variable.safeParse(undefined)
  const value = parsed.success ? [parsed.data].flat().join(',') : ''
  return `# ${variable.description}\n${parsed.success ? '# ' : ''}${name}=${value}\n`
})
const text = `# Every variable that Tendril reads. Those behind a # have a default.\n\n${entries.join('\n')}`

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write('.env.example is not current: npm run generate\n')
    process.exit(1)
  }
} else {
  writeFileSync(file, text)
}
