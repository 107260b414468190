import { deepStrictEqual } from 'node:assert'
import type { Pool } from 'pg'
import { ask } from '../client.ts'
import type { Load, Measured } from '../load.ts'
import type { Part } from '../parts.ts'
import { median, round } from '../say.ts'
import { bodyOf, type CaseName, cases, contentOf } from './cases.ts'
import type { Filled } from './fill.ts'
import { type Peers, type ServerName, serverNames } from './peers.ts'

const connections = 16

export type Figures = {
  rps: number
  p50Ms: number
  p99Ms: number
  ratioToRaw: number
  ratioToPostgraphile: number | null
  rawRps: number
  postgraphileRps: number | null
}

export type Rounds = { name: CaseName; measured: Record<ServerName, Measured[]> }

/** Throws unless all servers that know the case answer the same to the same. */
export async function compareAnswers(name: CaseName, { places }: Peers): Promise<void> {
  for (const i of [0, 1, 7]) {
    const [ours, ...others] = await Promise.all(
      serverNames.flatMap((server) => {
        const body = bodyOf(name, server, i)
        return body ? [ask(places[server], body).then((data) => flatten(name, contentOf(data)))] : []
      }),
    )
    for (const other of others) deepStrictEqual(other, ours, `${name}: the servers do not answer the same`)
  }
}

/** PostGraphile answers a mutation with a payload around the row. */
function flatten(name: CaseName, data: unknown): unknown {
  if (name !== 'create') return data
  const { createPost } = data as { createPost: { post?: object } }
  return createPost.post ?? createPost
}

/** One server's part of a round; what it has written is gone afterwards. */
export async function measureOne(
  load: Part,
  name: CaseName,
  server: ServerName,
  seconds: number,
  { places }: Peers,
): Promise<Measured | null> {
  const bodies = Array.from({ length: cases[name].different }, (_, i) => bodyOf(name, server, i))
  if (bodies[0] === null) return null
  const job: Load = { ...places[server], bodies: bodies.map((body) => JSON.stringify(body)), connections, seconds }
  const measured = await load.ask<Measured>(job)
  if (measured.failures.length > 0) throw new Error(`${name}: ${server} answered ${measured.failures[0]}`)
  if (measured.requests === 0) throw new Error(`${name}: ${server} answered nothing in ${seconds} s.`)
  return measured
}

export async function removeWritten(sql: Pool, { projectId, ids }: Filled): Promise<void> {
  await sql.query(`delete from "${projectId}"."${ids.posts}" where category = 'new'`)
  await sql.query('delete from events.outbox')
  await sql.query(`vacuum "${projectId}"."${ids.posts}", events.outbox`)
}

/** How many rows and how many events the last requests have written. */
export async function countWritten(sql: Pool, { projectId, ids }: Filled) {
  const { rows } = await sql.query<{ posts: number; events: number }>(
    `select (select count(*)::int from "${projectId}"."${ids.posts}" where category = 'new') as posts,
       (select count(*)::int from events.outbox where type = 'documents.created') as events`,
  )
  return rows[0] ?? { posts: 0, events: 0 }
}

/** Medians over the rounds; a ratio is the median of the rounds' ratios, since servers are compared within a round. */
export function figuresOf(measured: Record<ServerName, Measured[]>): Figures {
  const of = (server: ServerName, key: 'rps' | 'p50Ms' | 'p99Ms') => median(measured[server].map((one) => one[key]))
  const ratioTo = (server: ServerName) =>
    round(median(measured.ours.map(({ rps }, i) => rps / (measured[server][i]?.rps ?? Number.NaN))), 3)
  const hasPostgraphile = measured.postgraphile.length > 0
  return {
    rps: round(of('ours', 'rps'), 1),
    p50Ms: round(of('ours', 'p50Ms')),
    p99Ms: round(of('ours', 'p99Ms')),
    ratioToRaw: ratioTo('raw'),
    ratioToPostgraphile: hasPostgraphile ? ratioTo('postgraphile') : null,
    rawRps: round(of('raw', 'rps'), 1),
    postgraphileRps: hasPostgraphile ? round(of('postgraphile', 'rps'), 1) : null,
  }
}
