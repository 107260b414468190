import type { Client } from 'pg'

/** The two halves of the advisory lock whose holder relays. Advisory locks belong to one database. */
const lock = { classId: 0x74656e64, objectId: 1 }

/** A leader speaks to PostgreSQL four times a second. After this silence it is taken for frozen. */
const frozenAfter = '2 seconds'

export async function tryLead(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [
    lock.classId,
    lock.objectId,
  ])
  return rows[0]?.got ?? false
}

/**
 * Ends the session of a leader that holds the lock and does nothing: a process that was stopped, or is cut off without its
 * connection having broken. It waits for its client, be it for the next statement or for an answer to be taken.
 */
export async function endFrozenLeader(client: Client): Promise<boolean> {
  const { rows } = await client.query(
    `select pg_terminate_backend(l.pid) as ended
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = $1 and l.objid = $2
       and l.database = (select oid from pg_database where datname = current_database())
       and a.wait_event_type = 'Client' and a.state_change < clock_timestamp() - interval '${frozenAfter}'`,
    [lock.classId, lock.objectId],
  )
  return rows.length > 0
}
