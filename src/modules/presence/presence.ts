import { watchRenewed } from '../../changes/renewed.ts'
import type { Context } from '../../context.ts'
import { Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { leavable } from '../../lib/leavable.ts'
import { createSignal } from '../../lib/signal.ts'
import { rolesOf } from '../permissions/roles.ts'
import { channel, type Present, topicOf } from './topics.ts'

export const presenceLimits = { dataBytes: 4_096, present: 1_000 }

/** What one who watches a topic is told: all who are there, then who comes, changes and goes. */
export type PresenceChange = { kind: 'ALL' | 'ENTERED' | 'UPDATED' | 'LEFT'; entries: readonly Present[] }

type Caller = Pick<Context, 'actor' | 'projectId'>

/**
 * Whoever is signed in may be at a topic and see who is, but for one that is named after a role, `label:staff` or
 * `user:usr_1:desk`: that is for who has the role, and for those who run the project.
 */
function groupOf({ actor, projectId }: Caller, topic: string): string {
  if (actor === null) throw new Unauthenticated('Sign in first.')
  if (!/^[A-Za-z0-9][\w.:-]{0,127}$/.test(topic))
    throw new Invalid('A topic has 1 to 128 letters, digits, `_`, `.`, `:` and `-`.', ['topic'])
  const [role] = /^(user|label):[^:]+/.exec(topic) ?? []
  if (role !== undefined && rolesOf({ actor })?.includes(role) === false)
    throw new Forbidden('This topic is for others.')
  return `presence:${projectId}:${topic}`
}

export async function listPresent(ctx: Context, topic: string): Promise<Present[]> {
  const found = (await ctx.peers.list(groupOf(ctx, topic))) as Map<string, Present>
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Who is at a topic, from now on. With `data` the caller is there, too, for as long as this lasts. */
export async function watchPresence(
  ctx: Context,
  topic: string,
  data?: { value: unknown },
): Promise<AsyncIterableIterator<PresenceChange>> {
  const group = groupOf(ctx, topic)
  const own = data ? await enter(ctx, group, data.value) : null
  const seen = topicOf(ctx.peers, group)
  const signal = createSignal()
  const unwatch = seen.watch(signal.raise)
  const caller = watchRenewed(ctx, signal.raise)
  let left = false
  const leave = () => {
    left = true
    caller.close()
    unwatch()
    own?.leave()
  }
  try {
    await caller.current()
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
      if (caller.isStale()) groupOf({ actor: await caller.current(), projectId: ctx.projectId }, topic)
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
    throw new LimitExceeded(`What one says of oneself has at most ${presenceLimits.dataBytes} bytes.`)
}

async function enter(ctx: Context, group: string, data: unknown) {
  const { actor, peers } = ctx
  requireSmall(data)
  if ((await peers.list(group)).size >= presenceLimits.present)
    throw new LimitExceeded(`A topic has at most ${presenceLimits.present} who are there.`)
  const id = newId('pre')
  const ring = () => void peers.tell(channel, { group }).catch(() => {})
  const present = { id, actorKind: actor?.kind ?? '', actorId: actor?.id ?? '', since: ctx.clock().toISOString() }
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
  const own = (await listPresent(ctx, topic)).find((one) => one.id === id && one.actorId === ctx.actor?.id)
  if (!own) throw new NotFound('You are not there by this id.')
  await ctx.peers.tell(`${channel}:${id}`, { data })
  return { ...own, data }
}
