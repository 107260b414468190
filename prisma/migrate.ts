/** Brings the database to the newest migration. `npm run db:migrate` runs it; so does every start. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

type Migration = { name: string; sql: string; checksum: string }

/** Any number of processes may start at once; one migrates, the others wait for it on this lock. */
const lock = 0x74656e64

/** The shape that Prisma's own tools read and write. */
const table = `create table if not exists _prisma_migrations (
  id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
  logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`

/**
 * Answers the names of the migrations that it applied, in order. Each is one transaction, noted in Prisma's own table: a
 * process that dies in the middle leaves the database as it was before that migration (docs/decisions/0005).
 */
export async function migrate(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'tendril-migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [lock])
    await client.query(table)
    const done = await appliedMigrations(client)
    const missing = readMigrations().filter(({ name, checksum }) => isMissing(name, checksum, done.get(name)))
    for (const migration of missing) await apply(client, migration)
    return missing.map(({ name }) => name)
  } finally {
    await client.end()
  }
}

function isMissing(name: string, checksum: string, applied: string | undefined): boolean {
  if (applied !== undefined && applied !== checksum) throw new Error(`${name} was changed after it had been applied.`)
  return applied === undefined
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('begin')
  await client.query(sql)
  await client.query(
    `insert into _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
     values (gen_random_uuid(), $1, now(), $2, 1)`,
    [checksum, name],
  )
  await client.query('commit')
}

export function readMigrations(): Migration[] {
  const folder = join(import.meta.dirname, 'migrations')
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function appliedMigrations(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query(
    'select migration_name, checksum from _prisma_migrations where finished_at is not null',
  )
  return new Map(rows.map((row) => [row.migration_name, row.checksum]))
}

if (import.meta.main) {
  const url = process.env.DATABASE_URL
  if (!url) {
    process.stderr.write('DATABASE_URL is not set: say which database to migrate.\n')
    process.exit(1)
  }
  const names = await migrate(url).catch((error: Error) => {
    process.stderr.write(`The database could not be migrated: ${error.message}\n`)
    process.exit(1)
  })
  process.stdout.write(
    names.length ? names.map((name) => `applied ${name}\n`).join('') : 'The database is up to date.\n',
  )
  process.exit(0)
}
