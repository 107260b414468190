import { watchRenewed } from '../../changes/renewed.ts'
import { isEnd, projectGone } from '../../changes.ts'
import type { Context } from '../../context.ts'
import { Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { leavable } from '../../lib/leavable.ts'
import { createSignal } from '../../lib/signal.ts'
import { projectUpdated } from '../projects/events.ts'
import { type PresenceRight, type PresenceRule, requireRight, rulesOf } from './rules.ts'
import { channel, type Present, topicOf } from './topics.ts'

export const presenceLimits = { dataBytes: 4_096, present: 1_000 }

/** What one who watches a topic is told: all who are there, then who comes, changes and goes. */
export type PresenceChange = { kind: 'ALL' | 'ENTERED' | 'UPDATED' | 'LEFT'; entries: readonly Present[] }

async function readRules({ db, projectId: id }: Context): Promise<readonly PresenceRule[]> {
  return rulesOf(await db.project.findUnique({ where: { id }, select: { presenceRules: true } }))
}

/** The rules from an event on: read once for all on this node who are told of it. */
const rulesFrom = new WeakMap<object, Promise<readonly PresenceRule[]>>()

function readFrom(entry: object, ctx: Context): Promise<readonly PresenceRule[]> {
  const known = rulesFrom.get(entry)
  if (known) return known
  const reading = readRules(ctx)
  rulesFrom.set(entry, reading)
  reading.catch(() => rulesFrom.delete(entry))
  return reading
}

function groupOf({ projectId }: Context, topic: string, at = ['topic']): string {
  if (!/^[A-Za-z0-9][\w.:-]{0,127}$/.test(topic))
    throw new Invalid('A topic has 1 to 128 letters, digits, `_`, `.`, `:` and `-`.', at)
  return `presence:${projectId}:${topic}`
}

export const listPresent = (ctx: Context, topic: string): Promise<Present[]> =>
  presentAt(ctx, topic, groupOf(ctx, topic), 'read')

async function presentAt(ctx: Context, topic: string, group: string, right: PresenceRight): Promise<Present[]> {
  requireRight(ctx, topic, right, await readRules(ctx))
  const found = (await ctx.peers.list(group)) as Map<string, Present>
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Who is at a topic, from now on. With `data` the caller is there, too, for as long as this lasts. */
export async function watchPresence(
  ctx: Context,
  topic: string,
  data?: { value: unknown },
): Promise<AsyncIterableIterator<PresenceChange>> {
  const group = groupOf(ctx, topic)
  const right = data ? 'join' : 'read'
  const signal = createSignal()
  const rules = await watchRules(ctx, signal.raise)
  const caller = watchRenewed(ctx, signal.raise)
  const leaving = [rules.close, caller.close]
  let left = false
  const leave = () => {
    left = true
    for (const close of leaving.splice(0)) close()
  }
  /** Whoever they are now, and whatever the rules are. */
  const check = async () => {
    const actor = await caller.current()
    requireRight({ actor }, topic, right, await rules.current())
  }
  const seen = topicOf(ctx.peers, group)
  try {
    await check()
    if (data) leaving.push((await enter(ctx, group, data.value)).leave)
    leaving.push(seen.watch(signal.raise))
    await seen.refresh()
  } catch (error) {
    leave()
    throw error
  }
  async function* generate(): AsyncGenerator<PresenceChange, undefined> {
    let known = seen.present()
    yield { kind: 'ALL', entries: [...known.values()] }
    for (;;) {
      await signal.wait()
      if (left) return
      await check()
      const before = known
      known = seen.present()
      for (const change of changesBetween(before, known)) yield change
    }
  }
  return leavable(generate(), () => {
    leave()
    // Whoever waits is let go.
    signal.raise()
  })
}

/** A project's rules, and that they may be others; `current` throws once the project is gone. */
async function watchRules(ctx: Context, onChange: () => void) {
  const { tails, projectId } = ctx
  const stream = await tails.open(projectId)
  let reading: Promise<readonly PresenceRule[]> | null = null
  let failure: Error | null = null
  const end = (error: Error) => {
    failure = error
    onChange()
  }
  const unwatch = stream.watch({
    onEnd: end,
    onEvent: (entry) => {
      const { event } = entry
      if (isEnd(projectId, event)) return end(projectGone())
      if (event.type !== projectUpdated.name) return
      reading = readFrom(entry, ctx)
      onChange()
    },
  })
  return {
    current: () => {
      if (failure) throw failure
      reading ??= readRules(ctx)
      return reading
    },
    close: () => {
      unwatch()
      stream.release()
    },
  }
}

function changesBetween(
  before: ReadonlyMap<string, Present>,
  after: ReadonlyMap<string, Present>,
): readonly PresenceChange[] {
  const gone = [...before.values()].filter(({ id }) => !after.has(id))
  const come = [...after.values()].filter(({ id }) => !before.has(id))
  const changed = [...after.values()].filter((one) => {
    const was = before.get(one.id)
    return was !== undefined && JSON.stringify(was) !== JSON.stringify(one)
  })
  const told = [
    { kind: 'LEFT', entries: gone },
    { kind: 'ENTERED', entries: come },
    { kind: 'UPDATED', entries: changed },
  ] as const
  return told.filter(({ entries }) => entries.length > 0)
}

function requireSmall(data: unknown): void {
  if (Buffer.byteLength(JSON.stringify(data ?? null)) > presenceLimits.dataBytes)
    throw new LimitExceeded(
      `What one says of oneself has at most ${presenceLimits.dataBytes.toLocaleString('en-US')} bytes.`,
    )
}

async function enter(ctx: Context, group: string, data: unknown) {
  const { actor, peers } = ctx
  requireSmall(data)
  if ((await peers.list(group)).size >= presenceLimits.present)
    throw new LimitExceeded(`A topic has at most ${presenceLimits.present.toLocaleString('en-US')} who are there.`)
  const id = newId('pre')
  const ring = () => void peers.tell(channel, { group }).catch(() => {})
  const present = { id, actorKind: actor?.kind ?? '', actorId: actor?.id ?? null, since: ctx.clock().toISOString() }
  peers.put(group, id, { ...present, data })
  const renewing = peers.listen(`${channel}:${id}`, (message) => {
    peers.put(group, id, { ...present, data: (message as { data: unknown }).data })
    ring()
  })
  ring()
  const leave = () => {
    renewing.close()
    peers.remove(group, id)
    ring()
  }
  return { leave }
}

/** Says something else of oneself, on whichever node one is there. */
export async function updatePresence(ctx: Context, topic: string, id: string, data: unknown): Promise<Present> {
  requireSmall(data)
  const present = await presentAt(ctx, topic, groupOf(ctx, topic, ['input', 'topic']), 'join')
  const own = present.find((one) => one.id === id && one.actorId === ctx.actor?.id)
  if (!own) throw new NotFound('You are not there by this id.')
  await ctx.peers.tell(`${channel}:${id}`, { data })
  return { ...own, data }
}
