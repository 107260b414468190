import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Services } from '../src/context.ts'

/** The second half of each advisory lock; the first says that it is Tendril's. Advisory locks belong to one database. */
const locks = { relay: 1, schedules: 2 } as const
const classId = 0x74656e64

/** A leader speaks to PostgreSQL at least once a second. After this silence it is taken for frozen. */
const frozenAfter = '2 seconds'
const standbyMs = 200

export type Leadership = {
  /** Lets the leader finish what it does, and gives up the lead. */
  stop: () => Promise<void>
  isLeader: () => boolean
}

/** What the leader does, on the session that makes it the leader, until the signal fires. */
type Lead = (client: pg.Client, signal: AbortSignal) => Promise<void>

/**
 * Any number of processes may call it; one of them leads, and the others take over when it dies, or when it is frozen.
 * Nothing that it meets ends the process.
 */
export function startLeading({ env, log }: Services, name: keyof typeof locks, lead: Lead): Leadership {
  const stopping = new AbortController()
  let leading = false
  const serve = async (client: pg.Client) => {
    while (!(await tryLead(client, locks[name]))) {
      if (await endFrozenLeader(client, locks[name]))
        log.warn({ name }, 'ended the session of a leader that was frozen')
      else await sleep(standbyMs, undefined, { signal: stopping.signal })
    }
    leading = true
    log.info(`${name} leads`)
    await lead(client, stopping.signal)
  }
  const run = async () => {
    for (let wait = 100; !stopping.signal.aborted; wait = Math.min(wait * 2, 2_000)) {
      const client = connection(env.DATABASE_URL, name)
      try {
        await client.connect()
        await serve(client)
      } catch (error) {
        if (stopping.signal.aborted) break
        log.warn({ err: error }, `${name} ${leading ? 'lost the lead' : 'cannot work yet'}`)
        if (leading) wait = 100
        await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {})
      } finally {
        leading = false
        // A server that is gone would be waited for for ever.
        await Promise.race([client.end().catch(() => {}), sleep(1_000, undefined, { ref: false })])
      }
    }
  }
  const done = run()
  return {
    stop: () => {
      stopping.abort()
      return done
    },
    isLeader: () => leading,
  }
}

/** A session of its own: the lock that makes it the leader lives and dies with it. */
function connection(url: string, name: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: `tendril-${name}`,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    query_timeout: 15_000,
  })
  // Its queries fail besides, and say so.
  client.on('error', () => {})
  return client
}

async function tryLead(client: pg.Client, objectId: number): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [
    classId,
    objectId,
  ])
  return rows[0]?.got ?? false
}

/**
 * Ends the session of a leader that holds the lock and does nothing: a process that was stopped, or is cut off without its
 * connection having broken. It waits for its client, be it for the next statement or for an answer to be taken.
 */
async function endFrozenLeader(client: pg.Client, objectId: number): Promise<boolean> {
  const { rows } = await client.query(
    `select pg_terminate_backend(l.pid) as ended
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = $1 and l.objid = $2
       and l.database = (select oid from pg_database where datname = current_database())
       and a.wait_event_type = 'Client' and a.state_change < clock_timestamp() - interval '${frozenAfter}'`,
    [classId, objectId],
  )
  return rows.length > 0
}
