import { setImmediate as turnOfLoop } from 'node:timers/promises'
import type { Payload, Sink } from '../../changes/feed.ts'
import { needsDocuments, requireNeeds } from '../../changes/needs.ts'
import { watchRenewed } from '../../changes/renewed.ts'
import type { Context } from '../../context.ts'
import type { LoggedEvent } from '../../logged-event.ts'
import { type Stream, TooSlow } from '../../tail.ts'
import type { Recipient } from './members.ts'

/** Where a subscriber stands by the rights of this moment. */
export type Place = {
  /** False once the schema is another one. */
  isCurrent: () => boolean
  /** What they get of an event. Never rejects. */
  payload: (event: LoggedEvent) => Payload | Promise<Payload> | null
  /** From the next event on they are given what is theirs. Answers how to leave. */
  enter: (recipient: Recipient) => () => void
}

type Ground = {
  stream: Stream
  /** The seq of the last event that was given to all who are level. */
  position: () => bigint
  /** Throws for whoever may not ask any more for what they ask. */
  place: (ctx: Context, key: string) => Promise<Place>
  cursorAt: (seq: bigint) => string
}

export type Subscriber = {
  fallBehind: () => void
  /** Ends it, and says why. */
  end: (error: unknown) => void
  leave: () => void
}

/** How long one that was full may take to be level again, and how long one that comes back may stand still. */
const limitMs = { level: 2_000, still: 10_000 }

/**
 * One subscriber, who is either level, and is given their group's payloads as they are made, or behind, and reads on by
 * themselves. Whatever happens to them (they do not keep up, their rights change, nobody knows who they are) they fall behind:
 * so nothing is lost and nothing comes twice, and nobody waits for them.
 */
export function startSubscriber(
  ground: Ground,
  ctx: Context,
  after: bigint,
  sink: Sink,
  onLeave: () => void,
): Subscriber {
  const reading = createReading(ground, after, sink)
  let turn = 0
  let isOver = false
  let leaveLevel: (() => void) | null = null
  /** Events whose payloads are still being made. */
  let owed: bigint[] = []

  /** To read on from before the first event that was not taken. */
  const fallBehind = (missed: bigint | null) => {
    if (!leaveLevel) return
    leaveLevel()
    leaveLevel = null
    turn += 1
    const first = owed[0] ?? missed
    reading.goTo(first === null ? ground.position() : first - 1n)
    owed = []
    void catchUp()
  }
  const overflow = (seq: bigint) => {
    reading.hurry()
    fallBehind(seq)
  }
  const caller = watchRenewed(ctx, () => fallBehind(null))
  const leave = () => {
    if (isOver) return false
    isOver = true
    leaveLevel?.()
    caller.close()
    onLeave()
    return true
  }
  const end = (error: unknown) => {
    if (leave()) sink.end(error)
  }
  const recipient: Recipient = {
    take: ({ seq }, payload) => {
      if (seq > reading.position() && !sink.take(payload)) overflow(seq)
    },
    owe: ({ seq }) => {
      const mine = turn
      if (seq <= reading.position()) return () => {}
      owed.push(seq)
      return (payload) => {
        if (turn !== mine || isOver) return
        if (sink.take(payload)) owed.shift()
        else overflow(seq)
      }
    },
  }
  const step = async () => {
    const actor = await caller.current()
    requireNeeds(ctx, actor, needsDocuments, () => ground.cursorAt(reading.position()))
    const place = await ground.place({ ...ctx, actor }, caller.key)
    sink.begin()
    const isTheirs = () => !isOver && !caller.isStale() && caller.actor() === actor && place.isCurrent()
    if (!isTheirs()) return
    if (reading.position() < ground.position()) return reading.readOn(place, isTheirs)
    reading.rest()
    leaveLevel = place.enter(recipient)
  }
  const catchUp = async () => {
    try {
      while (!isOver && !leaveLevel) await step()
    } catch (error) {
      end(error)
    }
  }
  void catchUp()
  return { fallBehind: () => fallBehind(null), end, leave: () => void leave() }
}

/** How far a subscriber is, and how they read on by themselves. */
function createReading({ stream, position: level, cursorAt }: Ground, after: bigint, sink: Sink) {
  let position = after
  let deadline = Number.POSITIVE_INFINITY

  const tooSlow = () => new TooSlow(position, cursorAt(position))
  const hand = async (payload: Payload, isTheirs: () => boolean): Promise<boolean> => {
    while (isTheirs()) {
      if (sink.take(payload)) return true
      if (!(await sink.room(Math.min(deadline, performance.now() + limitMs.still)))) throw tooSlow()
    }
    return false
  }
  /** One page, as far as the others are, while it is theirs to read. */
  const readOn = async (place: Place, isTheirs: () => boolean) => {
    const page = (await stream.page(position)).filter(({ event }) => event.seq <= level())
    const made = page.map(({ event }) => ({ seq: event.seq, payload: place.payload(event) }))
    for (const { seq, payload } of made) {
      const ready = payload instanceof Promise ? await payload : payload
      if (!isTheirs() || (ready && !(await hand(ready, isTheirs)))) return
      position = seq
      if (performance.now() > deadline) throw tooSlow()
    }
    await turnOfLoop()
  }
  return {
    position: () => position,
    goTo: (seq: bigint) => {
      if (seq > position) position = seq
    },
    hurry: () => {
      deadline = performance.now() + limitMs.level
    },
    rest: () => {
      deadline = Number.POSITIVE_INFINITY
    },
    readOn,
  }
}
