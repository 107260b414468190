/** Writes `schema.graphql`, the page that reviewers and users read first. With `--check` it only says whether it is current. */
import { readFileSync, writeFileSync } from 'node:fs'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { schema } from './index.ts'

const file = new URL('./schema.graphql', import.meta.url)
const text = `${printSchema(lexicographicSortSchema(schema))}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write('schema/schema.graphql is not current: npm run generate\n')
    process.exit(1)
  }
} else {
  writeFileSync(file, text)
}
