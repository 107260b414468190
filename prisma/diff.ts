/**
 * Prints the SQL that is missing between the migrations and the models: nothing when they agree. `npm run db:diff` writes
 * the text of the next migration, and a test holds it empty. Needs a PostgreSQL in DATABASE_URL to make a scratch database.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import pg from 'pg'
import { migrate } from './migrate.ts'

// Node has it; its types leave it to the browser's.
declare const WebAssembly: {
  instantiate: (wasm: Buffer, imports: object) => Promise<{ instance: { exports: Record<string, unknown> } }>
}

type Engine = { diff: (params: unknown) => Promise<{ stdout: string | null }> }

/** `url` is of a server where databases may be made. */
async function diffFromMigrations(url: string): Promise<string> {
  const name = `tendril_diff_${process.pid}`
  const scratch = Object.assign(new URL(url), { pathname: `/${name}` }).href
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`create database ${name}`)
    await migrate(scratch)
    return await diff(scratch)
  } finally {
    await client.query(`drop database if exists ${name} with (force)`)
    await client.end()
  }
}

/** What the database at `url` lacks against the models. */
async function diff(url: string): Promise<string> {
  const folder = import.meta.dirname
  const paths = ['schema.prisma', ...readdirSync(join(folder, 'models')).map((file) => `models/${file}`)]
  const files = paths.map((path) => ({ path, content: readFileSync(join(folder, path), 'utf8') }))
  const engine = await loadEngine(
    url,
    files.map(({ path, content }) => [path, content]),
  )
  const { stdout } = await engine.diff({
    from: { tag: 'schemaDatasource', files, configDir: folder },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    shadowDatabaseUrl: null,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  const text = (stdout ?? '').trim()
  return text === '-- This is an empty migration.' ? '' : text
}

/** Prisma's schema engine in its WebAssembly build: nothing to download. */
async function loadEngine(url: string, datamodels: [string, string][]): Promise<Engine> {
  const background = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const bindings = await import(background)
  const wasm = readFileSync(join(dirname(background), 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  const start = instance.exports.__wbindgen_start as () => void
  start()
  // The engine tells a panic through this global, and dies without a word where it is missing.
  Object.assign(globalThis, {
    PRISMA_WASM_PANIC_REGISTRY: { set_message: (text: string) => process.stderr.write(`${text}\n`) },
  })
  const adapter = new PrismaPg({ connectionString: url })
  const connect = adapter.connect.bind(adapter)
  adapter.connect = async () => readingChars(await connect())
  return bindings.SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(adapter))
}

type Reader = {
  performIO: (query: unknown) => Promise<{ fields?: { name: string; dataTypeID: number }[] }>
  queryRaw: (query: unknown) => Promise<{ columnNames: string[]; columnTypes: number[] }>
}

/** The adapter refuses PostgreSQL's `"char"` (18, 1002), of which the catalogues are full; the engine wants them as characters. */
function readingChars<Connection extends object>(connection: Connection): Connection {
  const inner = connection as Connection & Reader
  const performIO = inner.performIO.bind(connection)
  const queryRaw = inner.queryRaw.bind(connection)
  const chars = new Set<string>()
  inner.performIO = async (query) => {
    const result = await performIO(query)
    for (const field of result.fields ?? []) {
      if (field.dataTypeID === 18) chars.add(field.name)
      field.dataTypeID = { 18: 25, 1002: 1009 }[field.dataTypeID] ?? field.dataTypeID
    }
    return result
  }
  inner.queryRaw = async (query) => {
    chars.clear()
    const result = await queryRaw(query)
    const columnTypes = result.columnTypes.map((type, i) =>
      chars.has(result.columnNames[i] ?? '') ? ColumnTypeEnum.Character : type,
    )
    return { ...result, columnTypes }
  }
  return connection
}

// The engine holds its connections until the process ends, and can be loaded once in a process: each use is a process.
if (import.meta.main) {
  const [database] = process.argv.slice(2)
  const missing = database
    ? await diff(database)
    : await diffFromMigrations(process.env.DATABASE_URL ?? 'postgresql://localhost/postgres')
  process.stdout.write(`${missing || 'Models and migrations agree.'}\n`)
  process.exit(0)
}
