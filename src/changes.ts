import type { Caller } from './changes/caller.ts'
import { type Needs, requireNeeds } from './changes/needs.ts'
import { watchRenewed } from './changes/renewed.ts'
import type { Context } from './context.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { Unauthenticated } from './errors.ts'
import { leavable } from './lib/leavable.ts'
import { createSignal, type Signal } from './lib/signal.ts'
import type { LoggedEvent } from './logged-event.ts'
import { projectDeleted } from './modules/projects/events.ts'
import { TooSlow } from './tail.ts'

export type Change<T> = T & {
  /** Where to go on after this one. */
  cursor: string
  event: LoggedEvent
}

export type Changes<T> = AsyncIterableIterator<Change<T>> & {
  /** Resolves when nothing can be missed any more; rejects when the stream cannot begin (ResyncRequired, Invalid). */
  opened: Promise<void>
}

type Options<T> = {
  /** The cursor of the last change the caller has; null: from now on. */
  after?: string | null | undefined
  needs: Needs
  /** What the caller gets of an event, null for nothing. It decides, by the rules of this moment, whether they may read it. */
  select: (event: LoggedEvent, ctx: Context) => Promise<T | null> | T | null
}

/**
 * The stream behind every GraphQL subscription: the events of the caller's project from a cursor on, as `select` shows
 * them. It listens from the moment of the call, not of the first `next()`. `select` gets the caller as they are at that
 * moment; the stream ends with Unauthenticated when they are no longer anybody, with SchemaChanged when they have lost a
 * scope that it needs, and with TooSlow when they do not keep up.
 */
export function changes<T extends object>(ctx: Context, options: Options<T>): Changes<T> {
  const signal = createSignal()
  const caller = watchRenewed(ctx, signal.raise)
  // A transport's own memory of the last event (`Last-Event-ID`) is newer than the argument of an operation that it repeats.
  const after = ctx.lastEventId ?? options.after ?? null
  const opening = open(ctx, after)
  const generator = generate({ ctx, caller, opening, signal, after, options })
  const stream = leavable(generator, async () => {
    caller.close()
    await opening.then((events) => events.return?.()).catch(() => {})
  })
  const opened = opening.then(() => {})
  opened.catch(() => {})
  return Object.assign(stream, { opened })
}

async function open(ctx: Context, cursor: string | null): Promise<AsyncIterableIterator<LoggedEvent>> {
  const { env, tails, projectId } = ctx
  const seq = cursor === null ? null : decodeCursor(env.SECRET_KEYS, { epoch: tails.epoch, projectId }, cursor)
  return tails.listen(projectId, seq)
}

type Source<T> = {
  ctx: Context
  caller: Caller
  opening: Promise<AsyncIterableIterator<LoggedEvent>>
  signal: Signal
  after: string | null
  options: Options<T>
}

async function* generate<T extends object>(source: Source<T>): AsyncGenerator<Change<T>, undefined> {
  const { ctx, caller, opening, signal, after } = source
  const { needs, select } = source.options
  const cursorAt = (seq: bigint) =>
    encodeCursor(ctx.env.SECRET_KEYS, { epoch: ctx.tails.epoch, projectId: ctx.projectId }, seq)
  let now = ctx
  let last: bigint | null = null
  const current = async () => {
    const actor = await caller.current()
    if (actor === now.actor) return now
    now = { ...ctx, actor }
    requireNeeds(ctx, actor, needs, () => (last === null ? after : cursorAt(last)))
    return now
  }
  const events = await opening
  for (;;) {
    const pull = pullFrom(events, signal)
    // A caller who is gone, or may less, is told so though nothing happens in the stream.
    while (!pull.settled()) {
      await current()
      await signal.wait()
    }
    const { done, value: event } = await pull.result.catch((error) => {
      throw error instanceof TooSlow ? new TooSlow(error.seq, cursorAt(error.seq)) : error
    })
    if (done) return
    if (isEnd(ctx.projectId, event)) throw projectGone()
    const selected = await select(event, await current())
    last = event.seq
    if (selected !== null) yield { ...selected, cursor: cursorAt(event.seq), event }
  }
}

/** The end of the project is the end of all its streams, those of guests too. */
export function isEnd(projectId: string, { type, payload }: LoggedEvent): boolean {
  return type === projectDeleted.name && (payload as { projectId: string }).projectId === projectId
}

export const projectGone = () => new Unauthenticated('The project was deleted.')

/** The next event, and whether it is there yet. */
function pullFrom(events: AsyncIterator<LoggedEvent>, signal: Signal) {
  let isSettled = false
  const result = events.next().finally(() => {
    isSettled = true
    signal.raise()
  })
  result.catch(() => {})
  return { result, settled: () => isSettled }
}
