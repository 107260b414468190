import { z } from 'zod'
import { type Context, sqlTransaction } from '../context.ts'
import { defineEvent, emit, type LoggedEvent } from '../event.ts'

/** An event that only tests know: `n` counts what happened to `thing`. */
export const tick = defineEvent({
  name: 'ticks.created',
  description: 'A test did something.',
  payload: z.object({ thing: z.string(), n: z.number().int(), pad: z.string().optional() }),
  path: (p) => ['ticks', p.thing],
})

export type Tick = z.output<typeof tick.payload>

/** Emits so many events, each in a transaction of its own. */
export async function tickTimes(ctx: Context, thing: string, from: number, times: number, pad?: string): Promise<void> {
  for (let n = from; n < from + times; n++) {
    const payload = pad === undefined ? { thing, n } : { thing, n, pad }
    await sqlTransaction(ctx, (tx) => emit(tx, tick, payload))
  }
}

/** The next events of a stream. Fails after `withinMs` without one. */
export async function take(
  events: AsyncIterator<LoggedEvent>,
  count: number,
  withinMs = 5_000,
): Promise<LoggedEvent[]> {
  const taken: LoggedEvent[] = []
  while (taken.length < count) {
    const next = await within(events.next(), withinMs, `only ${taken.length} of ${count} events came`)
    if (next.done) throw new Error(`The stream was over after ${taken.length} of ${count} events.`)
    taken.push(next.value)
  }
  return taken
}

export async function within<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${ms} ms`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
