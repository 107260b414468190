import type { PoolClient } from 'pg'
import type { Services } from '../../src/context.ts'

export type Trimmed = {
  /** Partitions that were dropped, oldest first. */
  dropped: string[]
  /** Every seq up to here is gone. */
  trimmed: bigint
}

/**
 * Drops the days of the log that ended more than `keepHours` ago, oldest first, whole partitions only, and never what the
 * slowest consumer has not read. Readers of the log are waited for a second at most: the next run tries again.
 */
export async function trimLog(services: Services, keepHours = 48): Promise<Trimmed> {
  const client = await services.sql.connect()
  try {
    await client.query(`begin; set local lock_timeout = '1s'`)
    // The relay locks the head first, too. No number is given while this goes on.
    const { rows } = await client.query<{ trimmed: string }>('select trimmed from events.head for update')
    let trimmed = BigInt(rows[0]?.trimmed ?? 0)
    const dropped: string[] = []
    for (const partition of await oldPartitions(client, keepHours)) {
      const end = await dropPartition(client, partition)
      if (end === null) break
      if (end > trimmed) trimmed = end
      dropped.push(partition)
    }
    await client.query('update events.head set trimmed = $1', [String(trimmed)])
    await client.query('commit')
    client.release()
    return { dropped, trimmed }
  } catch (error) {
    await client.query('rollback').then(
      () => client.release(),
      (broken) => client.release(broken),
    )
    throw error
  }
}

async function oldPartitions(client: PoolClient, keepHours: number): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'events.log'::regclass and c.relname ~ '^log_\\d{8}$'
       and to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= (now() at time zone 'utc') - make_interval(hours => $1)
     order by c.relname`,
    [keepHours],
  )
  return rows.map((row) => row.name)
}

/** Answers the last seq in it, 0 if it was empty, null when somebody has still to read it. */
async function dropPartition(client: PoolClient, name: string): Promise<bigint | null> {
  const { rows } = await client.query<{ end: string; needed: boolean }>(
    `select coalesce(max(seq), 0) as end,
            coalesce(max(seq) > (select min(seq) from consumers), false) as needed
     from events.${client.escapeIdentifier(name)}`,
  )
  const [row] = rows
  if (!row || row.needed) return null
  await client.query(`drop table events.${client.escapeIdentifier(name)}`)
  return BigInt(row.end)
}
