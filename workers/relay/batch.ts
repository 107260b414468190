import type { Client, QueryResult } from 'pg'

/** One event that the relay has numbered, as it is published. Null payload text: too large to publish. */
export type Numbered = {
  seq: string
  prev: string
  id: string
  projectId: string
  name: string
  type: string
  aggregate: string
  payload: string | null
  actorKind: string
  actorId: string | null
  at: Date
  /** The `traceparent` of the transaction. */
  trace: string | null
}

export const batchSize = 500

/** A payload above this is read from the log by whoever needs it. */
const maxPublishedBytes = 65_536

/**
 * Moves a batch from the outbox to the log. The numbers begin behind the head, whose row lock is held: it was read in a
 * statement of its own, so this one sees what the relay before us committed.
 */
const prepareBatch = `
  prepare relay_batch as
  with picked as materialized (
    select ctid from events.outbox order by position limit ${batchSize} for update skip locked
  ), moved as (
    delete from events.outbox where ctid = any (array(select ctid from picked)) returning *
  ), numbered as (
    select moved.*, (select seq from events.head) + row_number() over (order by position) as seq from moved
  ), chained as (
    select n.*, coalesce(
      lag(n.seq) over (partition by n."projectId" order by n.seq),
      (select h.seq from events.project_heads h where h."projectId" = n."projectId"),
      0) as prev
    from numbered n
  ), logged as (
    insert into events.log (seq, prev, id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", at, trace, "executionId", day)
    select seq, prev, id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", at, trace, "executionId",
           (now() at time zone 'utc')::date
    from chained
  ), projects as (
    insert into events.project_heads ("projectId", seq, "movedAt")
    select "projectId", max(seq), clock_timestamp() from chained group by "projectId" order by "projectId"
    on conflict ("projectId") do update set seq = excluded.seq, "movedAt" = excluded."movedAt"
  ), head as (
    update events.head set seq = head.seq + total.moved from (select count(*) as moved from chained) total
    where total.moved > 0
  )
  select seq, prev, id, "projectId", name, type, aggregate, "actorKind", "actorId", at, trace,
         case when octet_length(payload::text) <= ${maxPublishedBytes} then payload::text end as payload
  from chained order by seq`

/** One round trip. The lock on the head is the fence: whoever waits for it then sees what was done before. */
const runBatch = `
  begin;
  select from events.head for update;
  execute relay_batch;
  commit`

/** Partitions are attached, not created in place: that would lock the log against its readers. */
const makePartitions = `
  do $$
  declare
    today date := (now() at time zone 'utc')::date;
    partition text;
  begin
    for day in 0..1 loop
      partition := 'log_' || to_char(today + day, 'YYYYMMDD');
      if to_regclass('events.' || partition) is null then
        execute format('create table events.%I (like events.log including all)', partition);
        execute format('alter table events.log attach partition events.%I for values from (%L) to (%L)',
                       partition, today + day, today + day + 1);
      end if;
    end loop;
  end $$`

/** Makes a connection ready for `relayBatch`. */
export async function prepareRelay(client: Client): Promise<void> {
  await ensurePartitions(client)
  // The plan is made once, while the outbox is empty; it must also serve when it is not. The cost that this puts on it
  // says nothing of the time it takes, so nothing is to be compiled for it.
  await client.query('set enable_seqscan = off; set jit = off')
  await client.query(prepareBatch)
}

/** Today's partition of the log and tomorrow's. */
export async function ensurePartitions(client: Client): Promise<void> {
  await client.query(makePartitions)
}

/** Numbers what waits in the outbox, at most `batchSize`, and answers it in order. */
export async function relayBatch(client: Client): Promise<Numbered[]> {
  try {
    return rowsOf(await client.query(runBatch))
  } catch (error) {
    await client.query('rollback')
    if (!isPartitionMissing(error)) throw error
    await ensurePartitions(client)
    return rowsOf(await client.query(runBatch))
  }
}

/** By the index: pages that are left empty when much has waited are many. */
export const workQuery = 'select (select position from events.outbox order by position limit 1) is not null as found'

/** Whether there is anything to relay, without taking a lock. */
export async function hasWork(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(workQuery)
  return rows[0]?.found ?? false
}

/** pg answers a text of several statements with a result for each, which its types do not know. */
function rowsOf(results: unknown): Numbered[] {
  return (results as QueryResult<Numbered>[])[2]?.rows ?? []
}

function isPartitionMissing(error: unknown): boolean {
  const { code, table, schema } = error as { code?: string; table?: string; schema?: string }
  return code === '23514' && schema === 'events' && table === 'log'
}
