import { MongoClient } from 'mongodb'
import pg from 'pg'
import type { Env } from '../env.ts'
import { findRedisVersion } from './redis.ts'

type Servers = Pick<Env, 'DATABASE_URL' | 'REDIS_URL' | 'MONGODB_URL'>

const oldest = { PostgreSQL: 15, Redis: 7, MongoDB: 6 } as const

/** A sentence for each server that cannot be reached, or is too old. None: all can be used. */
export async function findUnusable(servers: Partial<Servers>): Promise<string[]> {
  const { DATABASE_URL, REDIS_URL, MONGODB_URL } = servers
  const checks = [
    DATABASE_URL && check('DATABASE_URL', 'PostgreSQL', () => postgresVersion(DATABASE_URL)),
    REDIS_URL && check('REDIS_URL', 'Redis', () => findRedisVersion(REDIS_URL)),
    MONGODB_URL && check('MONGODB_URL', 'MongoDB', () => mongoVersion(MONGODB_URL)),
  ]
  return (await Promise.all(checks)).filter((sentence) => typeof sentence === 'string' && sentence !== '') as string[]
}

async function check(
  variable: string,
  name: keyof typeof oldest,
  version: () => Promise<string>,
): Promise<string | null> {
  try {
    const found = await version()
    if (Number.parseInt(found, 10) >= oldest[name]) return null
    return `${variable} is ${name} ${found}; ${oldest[name]} or newer is needed.`
  } catch (error) {
    return `${variable}: ${name} cannot be used: ${reasonOf(error)}`
  }
}

/** Connecting to a name with several addresses fails with one error for each, and no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

async function postgresVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  await client.connect()
  try {
    const { rows } = await client.query('show server_version')
    return String(rows[0]?.server_version)
  } finally {
    await client.end()
  }
}

async function mongoVersion(url: string): Promise<string> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 })
  try {
    const { version } = await client.db().command({ buildInfo: 1 })
    return String(version)
  } finally {
    await client.close()
  }
}
