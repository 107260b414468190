import { needsDocuments } from '../changes/needs.ts'
import { type Changes, changes } from '../changes.ts'
import type { Context } from '../context.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { Invalid, ResyncRequired, SchemaChanged } from '../errors.ts'
import { type Items, leavable } from '../lib/leavable.ts'
import type { LoggedEvent } from '../logged-event.ts'
import { differences, type LiveChange, type LiveRow, type Mark } from './live/differences.ts'
import { type Evaluated, type Group, groupKey, joinGroup } from './live/groups.ts'
import { type Asked, type Planned, planLive } from './live/planned.ts'
import { concerns, isAboutCaller, isAboutSchema } from './live/relevant.ts'
import type { ProjectModel } from './model.ts'
import type { Models } from './models.ts'

/** What a live query is told: the whole list, or what has changed of it. */
export type Live = { cursor: string; snapshot: readonly LiveRow[] | null; changes: readonly LiveChange[] }

/** A list of documents, and then what changes in it: by writes, by what the caller may read, by what the rules say. */
export async function liveDocuments(
  ctx: Context,
  models: Models,
  asked: Asked,
  after: string | null | undefined,
): Promise<AsyncIterableIterator<Live>> {
  const { lastEventId, ...fresh } = ctx
  const live = createView(fresh, models, asked)
  await live.plan(fresh)
  const since = seqOf(ctx, lastEventId ?? after)
  const stream = await openStream(fresh, live)
  return leavable(listsOf(fresh, live, stream, since), async () => {
    live.leave()
    await stream.return?.()
  })
}

type Told = { now: Context }

/** From now on: what there was before is in the snapshot. */
async function openStream(ctx: Context, live: View): Promise<Changes<Told>> {
  const select = async (event: LoggedEvent, now: Context) => ((await live.isConcerned(event, now)) ? { now } : null)
  const stream = changes<Told>(ctx, { needs: needsDocuments, select })
  await stream.opened.catch(async (error) => {
    live.leave()
    await stream.return?.()
    throw error
  })
  return stream
}

/** No generator: that would hold the list that it has told for as long as whoever takes it is slow. */
function listsOf(ctx: Context, live: View, stream: Changes<Told>, since: bigint | null): Items<Live> {
  let isBegun = false
  let cursor = ''
  const tellAt = (seq: bigint) => {
    cursor = encodeCursor(ctx.env.SECRET_KEYS, streamOf(ctx), seq)
    return cursor
  }
  const begin = async (): Promise<Live> => {
    const { rows, marks, through } = await live.at(await ctx.tails.head(ctx.projectId))
    const isKnown = since !== null && !(await hasConcerned(ctx, live.planned(), since, through))
    live.show(marks)
    return { cursor: tellAt(through), snapshot: isKnown ? null : rows, changes: [] }
  }
  // What was valid when it began: whatever it names is another thing by now, or gone.
  const changed = (error: unknown) => {
    throw error instanceof Invalid ? new SchemaChanged(error.message, cursor) : error
  }
  const follow = async (now: Context, seq: bigint): Promise<Live | null> => {
    const before = live.shown()
    await live.plan(now).catch(changed)
    const { rows, marks, through } = await live.at(seq)
    live.show(marks)
    const changes = marks === before ? [] : differences(before, rows)
    return changes.length === 0 ? null : { cursor: tellAt(through), snapshot: null, changes }
  }
  const next = async (): Promise<IteratorResult<Live, undefined>> => {
    if (!isBegun) {
      isBegun = true
      return { done: false, value: await begin() }
    }
    for (;;) {
      const { done, value } = await stream.next()
      if (done) return end()
      const told = await follow(value.now, value.event.seq)
      if (told) return { done: false, value: told }
    }
  }
  const end = async () => {
    isBegun = true
    return { done: true, value: undefined } as const
  }
  return { next, return: end }
}

function streamOf({ tails, projectId }: Context) {
  return { epoch: tails.epoch, projectId }
}

/** Null for one that begins, and for one whose cursor is of a log that is gone: both are shown all. */
function seqOf(ctx: Context, cursor: string | null | undefined): bigint | null {
  if (cursor == null) return null
  try {
    return decodeCursor(ctx.env.SECRET_KEYS, streamOf(ctx), cursor)
  } catch (error) {
    if (error instanceof ResyncRequired) return null
    throw error
  }
}

/** What one subscriber sees: what is in the list that it was told last, and the group that reads it. */
type View = ReturnType<typeof createView>

function createView(ctx: Context, models: Models, asked: Asked) {
  let planned: Planned | null = null
  let group: Group | null = null
  let actor = ctx.actor
  let marks: readonly Mark[] = []
  let ids: ReadonlySet<string> = new Set()

  const known = () => {
    if (!planned || !group) throw new Error('A live query was not planned.')
    return { planned, group }
  }
  /** By the schema and the caller of this moment. */
  const plan = async (now: Context) => {
    const model = await models.get(now.projectId)
    if (planned?.model === model && actor === now.actor) return
    actor = now.actor
    planned = planLive(now, model, asked)
    if (group?.key === groupKey(ctx, planned.statement)) return
    group?.leave()
    group = joinGroup(ctx, planned.statement)
  }
  const isConcerned = async (event: LoggedEvent, now: Context) => {
    if (now.actor !== actor) return true
    if (isAboutSchema(event)) return (await modelAfter(ctx, models, event)) !== known().planned.model
    return isAboutCaller(event, now) || concerns(event, known().planned, now, ids)
  }
  return {
    plan,
    isConcerned,
    planned: () => known().planned,
    at: (seq: bigint): Promise<Evaluated> => known().group.at(seq),
    show: (shown: readonly Mark[]) => {
      marks = shown
      ids = new Set(shown.map(({ id }) => id))
    },
    shown: () => marks,
    leave: () => group?.leave(),
  }
}

const awaited = new WeakMap<LoggedEvent, Promise<ProjectModel>>()

/** The model with what an event of the schema is about: it comes by another stream, a moment later perhaps. */
function modelAfter(ctx: Context, models: Models, event: LoggedEvent): Promise<ProjectModel> {
  const known = awaited.get(event) ?? readModelAfter(ctx, models)
  awaited.set(event, known)
  return known
}

async function readModelAfter({ sql, projectId }: Context, models: Models): Promise<ProjectModel> {
  const { rows } = await sql.query<{ revision: number }>(
    'select "schemaRevision" as revision from projects where id = $1',
    [projectId],
  )
  for (;;) {
    const model = await models.get(projectId)
    if (model.revision >= (rows[0]?.revision ?? 0)) return model
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const sinceQuery = `
  select 1 from events.log where "projectId" = $1 and seq > $2 and seq <= $3
    and (type !~ '^documents\\.' and type ~ $4 or type ~ '^documents\\.' and payload->>'collectionId' = any($5)) limit 1`

/** Whether anything happened in between that may have changed the list. Nobody knows of what is no longer in the log. */
async function hasConcerned(ctx: Context, { reads }: Planned, since: bigint, through: bigint): Promise<boolean> {
  const nouns = '^(users|sessions|keys|members|projects|collections|attributes)\\.'
  const values = [ctx.projectId, String(since), String(through), nouns, [...reads]]
  const kept = await ctx.sql.query('select 1 from events.log where "projectId" = $1 and seq <= $2 limit 1', [
    ctx.projectId,
    String(since),
  ])
  if (kept.rows.length === 0 && since > 0n) return true
  return (await ctx.sql.query(sinceQuery, values)).rows.length > 0
}
