import type { Pool } from 'pg'
import { Unavailable } from '../errors.ts'
import type { LoggedEvent } from '../logged-event.ts'

/** An event and about how much memory it holds. It is shared by all who listen, so it is frozen. */
export type Entry = { event: LoggedEvent; bytes: number }

/** The reads of the event log that a tail makes. */
export type Log = {
  /** A project's events after `seq`, in order. */
  page: (projectId: string, seq: bigint, limit: number) => Promise<Entry[]>
  /** The last number of each of these projects, 0 for one in which nothing has happened. */
  heads: (projectIds: readonly string[]) => Promise<Map<string, bigint>>
}

type Row = {
  seq: string
  prev: string
  id: string
  projectId: string
  name: string
  type: string
  aggregate: string
  /** JSON text. */
  payload: string
  actorKind: string
  actorId: string | null
  at: Date | string
}

const pageQuery = `
  select seq, prev, id, "projectId", name, type, aggregate, payload::text as payload, "actorKind", "actorId", at
  from events.log where "projectId" = $1 and seq > $2::bigint order by seq limit $3`

const headsQuery = `select "projectId", seq from events.project_heads where "projectId" = any($1)`

export function createLogReader(sql: Pool): Log {
  const page = async (projectId: string, seq: bigint, limit: number) => {
    const values = [projectId, String(seq), limit]
    const { rows } = await sql.query<Row>({ name: 'events.page', text: pageQuery, values }).catch(unreadable)
    return rows.map((row) => toEntry({ ...row, payload: JSON.parse(row.payload) }, row.payload.length))
  }
  const heads = async (projectIds: readonly string[]) => {
    const { rows } = await sql.query<{ projectId: string; seq: string }>(headsQuery, [projectIds]).catch(unreadable)
    const found = new Map(rows.map((row) => [row.projectId, BigInt(row.seq)]))
    return new Map(projectIds.map((id) => [id, found.get(id) ?? 0n]))
  }
  return { page, heads }
}

/** Whether something after `seq` is missing: each row says what its project's row before it was. */
export function hasHole(page: readonly Entry[], seq: bigint): boolean {
  const [first] = page
  return first === undefined || first.event.prev > seq
}

function unreadable(cause: unknown): never {
  throw new Unavailable('The event log cannot be read right now.', { cause })
}

/** What the relay publishes of an event. The payload is left out where it is large, to be read from the log. */
export type Message = Omit<Row, 'payload' | 'at'> & { at: string; payload?: unknown; bytes: number }

export function isMessage(message: unknown): message is Message {
  const { seq, prev, projectId } = (message ?? {}) as Partial<Message>
  return isNumber(seq) && isNumber(prev) && typeof projectId === 'string'
}

export function isNumber(text: unknown): text is string {
  return typeof text === 'string' && /^\d{1,19}$/.test(text)
}

export function toEntry(row: Omit<Row, 'payload'> & { payload?: unknown }, payloadBytes: number): Entry {
  const event = {
    seq: BigInt(row.seq),
    prev: BigInt(row.prev),
    id: row.id,
    projectId: row.projectId,
    name: row.name,
    type: row.type,
    aggregate: row.aggregate,
    payload: deepFreeze(row.payload),
    actorKind: row.actorKind,
    actorId: row.actorId,
    at: new Date(row.at),
  }
  return { event: Object.freeze(event), bytes: payloadBytes + 400 }
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
