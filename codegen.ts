/**
 * Types for the operations that the examples and their tests send: `npm run generate` writes `examples/generated/`. With
 * `--check` it only says whether that is current.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { type CodegenConfig, generate } from '@graphql-codegen/cli'

const types = {
  preset: 'client' as const,
  presetConfig: { fragmentMasking: false },
  config: {
    documentMode: 'string',
    enumType: 'string-literal',
    useTypeImports: true,
    importExtension: '.ts',
    emitLegacyCommonJSImports: false,
    scalars: {
      DateTime: 'string',
      JSON: 'unknown',
      BigInt: 'string',
      Decimal: 'string',
      Date: 'string',
      Email: 'string',
    },
  },
}
const questions = 'examples/chinook/questions/*.ts'
const functions = 'examples/functions/enrich/*.ts'

const config: CodegenConfig = {
  silent: true,
  generates: {
    'examples/generated/': {
      ...types,
      schema: 'schema/schema.graphql',
      documents: ['examples/**/*.ts', '!examples/**/generated/**', `!${questions}`, `!${functions}`],
    },
    'examples/functions/enrich/generated/': {
      ...types,
      presetConfig: { ...types.presetConfig, gqlTagName: 'gql' },
      schema: 'examples/functions.graphql',
      documents: functions,
    },
    'examples/chinook/generated/': { ...types, schema: 'examples/chinook.graphql', documents: questions },
  },
}

export default config

if (import.meta.main) {
  const files = (await generate(config, false)) as { filename: string; content: string }[]
  const stale = files.filter(({ filename, content }) => readText(filename) !== content)
  if (process.argv.includes('--check')) {
    for (const { filename } of stale) process.stderr.write(`${filename} is not current: npm run generate\n`)
    process.exit(stale.length === 0 ? 0 : 1)
  }
  for (const { filename, content } of stale) writeFileSync(filename, content)
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
