import pg from 'pg'

/** Why tests of vectors are skipped, false where the server has pgvector. */
export async function lacksVectors(): Promise<string | false> {
  const client = new pg.Client(process.env.DATABASE_URL)
  await client.connect()
  const { rows } = await client.query(`select from pg_available_extensions where name = 'vector'`)
  await client.end()
  return rows.length === 0 && 'This PostgreSQL has no extension pgvector.'
}
