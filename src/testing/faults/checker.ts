import { readFileSync } from 'node:fs'
import type { Pool } from 'pg'
import { ledgerFile, type Requests, requestsFile } from './client.ts'
import type { Principal, Project } from './project.ts'
import { fields, type Received, readSink, sinkFile } from './sink.ts'

/** What one fault has done. All but the first two are zero where everything is in order. */
export type Findings = {
  /** Changes that stand in the database. */
  committed: number
  /** What listeners received of them. */
  delivered: number
  /** Acknowledged and not in the database; or not received by somebody who may read it; or without its audit or its effect. */
  lost: number
  /** The same by kind. */
  lostOf: Record<'unwritten' | 'uncounted' | 'unheard' | 'unaudited' | 'ineffective', number>
  /** Received again by the same listener. */
  duplicated: number
  /** Effects of a job that happened more than once. */
  duplicatedEffects: number
  /** Received before something that came before it. */
  outOfOrder: number
  /** Received by somebody who may not read it, or never committed. */
  forbidden: number
  /** Numbers missing in the event log. */
  gaps: number
  /** Subscriptions that were refused for a reason that does not go by. */
  refused: number
}

export type Ground = { sql: Pool; dir: string; project: Project; effects: boolean }

type Row = { key: string; n: number; readers: string[] }

/** Compares what was acknowledged, what is true and what was received, for what the load `name` has written. */
export async function check(ground: Ground, name: string): Promise<Findings> {
  const { sql, dir, project } = ground
  const acknowledged = readLedger(ledgerFile(dir, name))
  const notes = await readNotes(ground, name)
  const counters = await readCounters(ground, acknowledged)
  const heard = project.principals.map((principal) => hear(dir, principal, name, notes, counters))
  const unwritten = [...acknowledged.notes].filter((text) => !notes.has(text)).length
  const uncounted = sum([...acknowledged.counters].map(([id, n]) => Math.max(0, n - (counters.get(id)?.n ?? 0))))
  const later = await checkLater(ground, [...counters.keys()])
  const unheard = sum(heard.map(({ lost }) => lost))
  const { unaudited, ineffective } = later
  return {
    committed: notes.size + sum([...counters.values()].map(({ n }) => n)),
    delivered: sum(heard.map(({ delivered }) => delivered)),
    lost: unwritten + uncounted + unheard + unaudited + ineffective,
    lostOf: { unwritten, uncounted, unheard, unaudited, ineffective },
    duplicated: sum(heard.map(({ duplicated }) => duplicated)),
    duplicatedEffects: later.duplicatedEffects,
    outOfOrder: sum(heard.map(({ outOfOrder }) => outOfOrder)),
    forbidden: sum(heard.map(({ forbidden }) => forbidden)),
    gaps: await countGaps(sql),
    refused: sum(heard.map(({ refused }) => refused)),
  }
}

export function isClean({
  committed: _committed,
  delivered: _delivered,
  lostOf: _lostOf,
  ...wrong
}: Findings): boolean {
  return sum(Object.values(wrong)) === 0
}

/** What became of the load's requests; it says so at its end. */
export function readRequests(dir: string, name: string): Requests {
  return JSON.parse(readFileSync(requestsFile(dir, name), 'utf8'))
}

/** What the ledger says: texts of notes, and how far each counter had come. A line that a kill has torn says nothing. */
function readLedger(path: string) {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const notes = new Set<string>()
  const counters = new Map<string, number>()
  for (const line of lines) {
    const [kind, key = '', n] = line.split(' ')
    if (kind === 'note') notes.add(key)
    else counters.set(key, Math.max(counters.get(key) ?? 0, Number(n)))
  }
  return { notes, counters }
}

async function readNotes({ sql, project }: Ground, name: string): Promise<Map<string, Row>> {
  const { rows } = await sql.query<Row>(
    `select text as key, 0 as n, _read as readers from ${project.tables.notes} where text like $1`,
    [`${name}-%`],
  )
  return new Map(rows.map((row) => [row.key, row]))
}

async function readCounters({ sql, project }: Ground, { counters }: ReturnType<typeof readLedger>) {
  const { rows } = await sql.query<Row>(
    `select _id as key, n, _read as readers from ${project.tables.counters} where _id = any($1)`,
    [[...counters.keys()]],
  )
  return new Map(rows.map((row) => [row.key, row]))
}

const isReader = ({ roles }: Principal, { readers }: Row) =>
  roles === null || roles.some((role) => readers.includes(role))

function hear(
  dir: string,
  principal: Principal,
  name: string,
  notes: ReadonlyMap<string, Row>,
  counters: ReadonlyMap<string, Row>,
) {
  const [allNotes = [], allCounts = []] = fields.map((field) => readSink(sinkFile(dir, principal.name, field)))
  const isChange = (line: Received) => 'cursor' in line
  const refused = [...allNotes, ...allCounts].filter((line) => !isChange(line)).length
  const texts = allNotes.filter(isChange).flatMap(({ key }) => (key.startsWith(`${name}-`) ? [key] : []))
  const counts = allCounts.filter(isChange).filter(({ key, n }) => counters.has(key) && n !== null && n > 0)
  const mayRead = (rows: ReadonlyMap<string, Row>, key: string) => {
    const row = rows.get(key)
    return row !== undefined && isReader(principal, row)
  }
  const wantedTexts = [...notes.values()].filter((row) => isReader(principal, row))
  const wantedCounts = [...counters.values()].filter((row) => isReader(principal, row))
  const steps = new Set(counts.map(({ key, n }) => `${key} ${n}`))
  const got = new Set(texts)
  const missedSteps = sum(wantedCounts.map(({ key, n }) => upTo(n).filter((i) => !steps.has(`${key} ${i}`)).length))
  const missedTexts = wantedTexts.filter(({ key }) => !got.has(key)).length
  return {
    delivered: got.size + steps.size,
    lost: missedTexts + missedSteps,
    duplicated: texts.length - got.size + counts.length - steps.size,
    outOfOrder: countOutOfOrder(counts),
    forbidden:
      texts.filter((key) => !mayRead(notes, key)).length +
      counts.filter(({ key, n }) => !mayRead(counters, key) || (n ?? 0) > (counters.get(key)?.n ?? 0)).length,
    refused,
  }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

function countOutOfOrder(counts: readonly { key: string; n: number | null }[]): number {
  const last = new Map<string, number>()
  let count = 0
  for (const { key, n } of counts) {
    if ((n ?? 0) < (last.get(key) ?? 0)) count += 1
    last.set(key, n ?? 0)
  }
  return count
}

/** Each event of the project has its audit, and each that counted has had its effect, once. */
async function checkLater({ sql, project, effects }: Ground, ids: readonly string[]) {
  const { rows } = await sql.query<{ unaudited: number }>(
    `select count(*)::int as unaudited from events.log l
     where "projectId" = $1 and not exists (select from audits a where a.id = l.id)`,
    [project.id],
  )
  const unaudited = rows[0]?.unaudited ?? 0
  if (!effects) return { unaudited, ineffective: 0, duplicatedEffects: 0 }
  const had = await sql.query<{ times: number }>(
    `select count(f."eventId")::int as times from events.log l left join fault_effects f on f."eventId" = l.id
     where type = 'documents.updated' and payload->>'id' = any($1) group by l.id`,
    [ids],
  )
  const times = had.rows.map((row) => row.times)
  return {
    unaudited,
    ineffective: times.filter((count) => count === 0).length,
    duplicatedEffects: sum(times.map((count) => Math.max(0, count - 1))),
  }
}

async function countGaps(sql: Pool): Promise<number> {
  const { rows } = await sql.query<{ gaps: number }>(
    `select (coalesce(max(seq), 0) - count(*) + (select count(*) from events.outbox))::int as gaps from events.log`,
  )
  return rows[0]?.gaps ?? 0
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
