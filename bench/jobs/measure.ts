import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, transaction } from '../../src/context.ts'
import { emit } from '../../src/event.ts'
import { createTask, runTask } from '../../src/modules/tasks/tasks.ts'
import { userUpdated } from '../../src/modules/users/events.ts'
import { createWebhook } from '../../src/modules/webhooks/webhooks.ts'
import type { World } from '../../src/testing/world.ts'
import { ask, createKey, type Peer } from '../client.ts'
import type { Load, Measured } from '../load.ts'
import type { Part } from '../parts.ts'
import { createProject } from '../projects.ts'
import type { Arrivals } from './receivers.ts'

const clock = () => performance.timeOrigin + performance.now()

/** What was committed, and when. */
type Committed = { receiver: number; eventId: string; at: number }

export type Heard = { waitsMs: number[]; lost: number; repeated: number }

/** From the commit of an event to its receivers, at so many events a second over as many projects as there are receivers. */
export async function measureWebhooks(
  world: World,
  receivers: Part,
  {
    perSecond,
    seconds,
    hanging,
    patienceMs,
  }: { perSecond: number; seconds: number; hanging: number; patienceMs: number },
): Promise<Heard> {
  const urls = receivers.told.url.split(' ')
  const owners = await Promise.all(
    urls.map(async (url) => {
      const { owner } = await world.createProject()
      await createWebhook(owner, { name: 'w', url, events: ['users.updated'] })
      return owner
    }),
  )
  const committed = await commit(owners, perSecond, seconds)
  const answering = committed.filter(({ receiver }) => receiver !== hanging)
  const arrivals: Arrivals = {}
  for (const end = clock() + patienceMs; ; await sleep(200)) {
    for (const [key, times] of Object.entries(await receivers.ask<Arrivals>('look')))
      arrivals[key] = [...(arrivals[key] ?? []), ...times]
    if (answering.every(({ receiver, eventId }) => `${receiver} ${eventId}` in arrivals) || clock() > end) break
  }
  const heard = answering.map((each) => ({ ...each, times: arrivals[`${each.receiver} ${each.eventId}`] ?? [] }))
  return {
    waitsMs: heard.flatMap(({ times: [first], at }) => (first === undefined ? [] : [first - at])),
    lost: heard.filter(({ times }) => times.length === 0).length,
    repeated: heard.filter(({ times }) => times.length > 1).length,
  }
}

async function commit(owners: readonly Context[], perSecond: number, seconds: number): Promise<Committed[]> {
  const committed: Committed[] = []
  const writing: Promise<void>[] = []
  const begun = performance.now()
  for (let n = 0; n < perSecond * seconds; n++) {
    await sleep(Math.max(0, begun + (n * 1_000) / perSecond - performance.now()))
    const receiver = n % owners.length
    const owner = owners[receiver]
    if (!owner) continue
    const write = async () => {
      const eventId = await transaction(owner, (tx) => emit(tx, userUpdated, { userId: `usr_${n}` }))
      committed.push({ receiver, eventId, at: clock() })
    }
    writing.push(write())
  }
  await Promise.all(writing)
  return committed
}

export type Started = { waitsMs: number[]; lost: number }

/** From the commit that asks for a run of a task to its start, one after the other, until one is lost. */
export async function measureStarts(world: World, url: string, count: number, patienceMs: number): Promise<Started> {
  const { owner } = await world.createProject()
  const task = await createTask(owner, { name: 't', schedule: '0 0 1 1 *', url, enabled: false })
  const waitsMs: number[] = []
  for (let n = 0; n < count; n++) {
    const { id } = await runTask(owner, task.id)
    const at = clock()
    const started = await startOf(owner, id, at + patienceMs)
    if (started === null) return { waitsMs, lost: 1 }
    waitsMs.push(Math.max(0, started.getTime() - at))
    await sleep(50 + Math.random() * 100)
  }
  return { waitsMs, lost: 0 }
}

async function startOf(ctx: Context, id: string, until: number): Promise<Date | null> {
  while (clock() < until) {
    const { startedAt } = await ctx.db.taskRun.findUniqueOrThrow({ where: { id } })
    if (startedAt) return startedAt
    await sleep(5)
  }
  return null
}

export type Drained = { written: number; lost: number; drainSeconds: number }

/** Documents are written through the API; each is to be an audit, soon after the last one was written. */
export async function measureAudits(
  world: World,
  { api, load }: { api: Part; load: Part },
  { perSecond, seconds, patienceMs }: { perSecond: number; seconds: number; patienceMs: number },
): Promise<Drained> {
  const { id, collectionIds } = await createProject(world, { collections: 1, attributes: 2 })
  const peer: Peer = { url: `${api.told.url}/projects/${id}/graphql`, authorization: await createKey(world, id) }
  const query = 'mutation { createThing0(input: { field1: 1 }) { id } }'
  await ask(peer, { query })
  const job: Load = { ...peer, bodies: [JSON.stringify({ query })], connections: 10, seconds, perSecond }
  const { failures } = await load.ask<Measured>(job)
  if (failures[0]) throw new Error(`A write failed: ${failures[0]}`)
  const written = await count(world, `select count(*) from "${id}"."${collectionIds[0]}"`, id)
  const ended = performance.now()
  const audited = () =>
    count(world, `select count(*) from audits where "projectId" = $1 and event like '%.documents.%.created'`, id)
  let found = await audited()
  for (const end = ended + patienceMs; found < written && performance.now() < end; found = await audited())
    await sleep(100)
  return { written, lost: written - found, drainSeconds: (performance.now() - ended) / 1_000 }
}

async function count(world: World, text: string, projectId: string): Promise<number> {
  const { rows } = await world.app.sql.query(text, text.includes('$1') ? [projectId] : [])
  return Number(rows[0]?.count)
}
