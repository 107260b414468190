import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Calls for so many things in a second, each with the moment at which it was due, as `Date` counts; at once for all that are due.
 * What it calls does not slow it down, and when it is late itself that shows.
 */
export async function atRate(
  perSecond: number,
  seconds: number,
  make: (due: readonly number[]) => Promise<void>,
): Promise<void> {
  const begun = performance.now()
  const all = Math.max(1, Math.round(perSecond * seconds))
  const dueAt = (i: number) => begun + (i * 1_000) / perSecond
  const running: Promise<void>[] = []
  for (let made = 0; made < all; ) {
    const due: number[] = []
    for (; made < all && dueAt(made) <= performance.now(); made += 1) due.push(performance.timeOrigin + dueAt(made))
    if (due.length > 0) running.push(make(due))
    await sleep(Math.min(10, 1_000 / perSecond))
  }
  await Promise.all(running)
}
