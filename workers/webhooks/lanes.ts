import { setTimeout as sleep } from 'node:timers/promises'
import type { Services } from '../../src/context.ts'
import { closeAttempts, type Due, type Outcome, openAttempts } from '../../src/modules/deliveries/attempts.ts'

/** How many deliveries to one webhook are under way at once, in one process; as soon as it gives no answer, one. */
const widest = 10
/** An attempt that could not be written down for so long is taken for cut off, and made again. */
const giveUpMs = 60_000

export type Lanes = {
  /** Begins what is due to these webhooks, and goes on until nothing is. Resolves once that has begun. */
  serve: (webhookIds: readonly string[]) => Promise<void>
  /** Begins nothing more, and waits for what is under way. */
  close: () => Promise<void>
}

/** Of one webhook: how many requests are under way, how many may be, and whether more is due. */
type Lane = { open: number; width: number; more: boolean }

type Send = (due: Due) => Promise<Outcome>

/**
 * Sends what is due, each webhook in a lane of its own: a receiver that hangs holds up nobody but itself, and is asked one
 * thing at a time until it answers again. Opening and writing down is done for all lanes together, in one statement each.
 */
export function createLanes(services: Services, send: Send): Lanes {
  const lanes = new Map<string, Lane>()
  const closed: (Due & { outcome: Outcome })[] = []
  const underWay = new Set<Promise<void>>()
  let closing = false

  const open = oneAtATime(async () => {
    for (let rooms = wanted(lanes); rooms.length > 0 && !closing; rooms = wanted(lanes)) {
      for (const { webhookId } of rooms) laneOf(lanes, webhookId).more = false
      const due = await openAttempts(services, rooms)
      for (const { webhookId, free } of rooms) {
        const count = due.filter(({ webhook }) => webhook.id === webhookId).length
        const lane = laneOf(lanes, webhookId)
        lane.open += count
        lane.more ||= count === free
        if (lane.open === 0 && !lane.more) lanes.delete(webhookId)
      }
      for (const each of due) track(run(each))
    }
  })
  const write = oneAtATime(async () => {
    while (closed.length > 0) await writeDown(services, closed.splice(0))
  })
  const run = async (due: Due) => {
    const lane = laneOf(lanes, due.webhook.id)
    try {
      const outcome = await send(due)
      lane.width = outcome.status === null ? 1 : Math.min(lane.width * 2, widest)
      closed.push({ ...due, outcome })
      await write()
    } finally {
      lane.open -= 1
      if (lane.more) void open().catch(warn)
      else if (lane.open === 0) lanes.delete(due.webhook.id)
    }
  }
  const warn = (error: unknown) => services.log.warn({ err: error }, 'deliveries could not go on; they stay due')
  const track = (work: Promise<void>) => {
    const tracked: Promise<void> = work.catch(warn).finally(() => underWay.delete(tracked))
    underWay.add(tracked)
  }
  return {
    serve: async (webhookIds) => {
      for (const webhookId of webhookIds) laneOf(lanes, webhookId).more = true
      await open()
    },
    close: async () => {
      closing = true
      await Promise.all(underWay)
    },
  }
}

function laneOf(lanes: Map<string, Lane>, webhookId: string): Lane {
  const lane = lanes.get(webhookId) ?? { open: 0, width: widest, more: false }
  lanes.set(webhookId, lane)
  return lane
}

function wanted(lanes: Map<string, Lane>): { webhookId: string; free: number }[] {
  return [...lanes]
    .filter(([, lane]) => lane.more && lane.open < lane.width)
    .map(([webhookId, { open, width }]) => ({ webhookId, free: width - open }))
}

/** While it runs, any number of calls are one more run: what came too late for the one is in the next. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  const start = () => {
    running = work().finally(() => {
      running = null
    })
    return running
  }
  const again = () => {
    next = null
    return start()
  }
  return () => {
    if (!running) return start()
    next ??= running.then(again, again)
    return next
  }
}

async function writeDown(services: Services, closed: readonly (Due & { outcome: Outcome })[]): Promise<void> {
  const end = performance.now() + giveUpMs
  for (;;) {
    try {
      return await closeAttempts(services, closed)
    } catch (error) {
      if (performance.now() > end) throw error
      services.log.warn({ err: error }, 'what came of deliveries could not be written down; trying again')
      await sleep(1_000)
    }
  }
}
