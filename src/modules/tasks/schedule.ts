import { CronExpressionParser } from 'cron-parser'
import { changeBetween, isTimeZone, offsetAt, whenShown } from '../../lib/zones.ts'

export type Schedule = { schedule: string; timeZone: string }

const hour = 3_600_000
const day = 24 * hour

/** Says what is wrong with a schedule, null when nothing is. */
export function whyNotSchedule({
  schedule,
  timeZone,
}: Schedule): { message: string; field: 'schedule' | 'timeZone' } | null {
  if (!isTimeZone(timeZone)) return { message: `“${timeZone}” is not a time zone.`, field: 'timeZone' }
  const fields = schedule.trim().split(/\s+/).length
  // A parser may take fewer fields, names like @daily and H for any time; what is stored shall mean one thing to everybody.
  if ((fields !== 5 && fields !== 6) || /(^|[\s,])H/i.test(schedule))
    return { message: 'A schedule has five cron fields, or six with seconds first.', field: 'schedule' }
  try {
    tickAfter({ schedule, timeZone }, new Date())
    return null
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { message: `This is not a cron schedule: ${reason}`, field: 'schedule' }
  }
}

/**
 * The first time after that one which the schedule names. Where clocks are put forward, a time that they skip is as much
 * later; where they are put back, a time that comes twice counts once. Schedules of every hour go by the hours that pass.
 */
export function tickAfter({ schedule, timeZone }: Schedule, time: Date): Date {
  // The parser's own search in zones misses times around such changes, or does not end: here it knows of none.
  const expression = CronExpressionParser.parse(schedule, { tz: 'UTC', currentDate: time })
  const nextShown = (shown: number): number => {
    expression.reset(new Date(shown))
    return expression.next().getTime()
  }
  const isHourly = expression.fields.hour.values.length === 24
  return new Date((isHourly ? hourlyAfter : dailyAfter)(timeZone, nextShown, time.getTime()))
}

type NextShown = (shown: number) => number

/** What clocks show counts, whichever hour of those that come twice it is. */
function hourlyAfter(zone: string, nextShown: NextShown, time: number): number {
  let from = time
  let offset = offsetAt(zone, from)
  let shown = from + offset
  for (;;) {
    const found = nextShown(shown) - offset
    if (found - from > day) {
      from = found - day + 2 * hour
      offset = offsetAt(zone, from)
      shown = from + offset
      continue
    }
    const change = changeBetween(zone, from, found)
    if (change === null) return found
    from = change
    offset = offsetAt(zone, from)
    shown = from + offset - 1
  }
}

/** Each time that the schedule names happens once. Those that clocks skipped come after some that are named later. */
function dailyAfter(zone: string, nextShown: NextShown, time: number): number {
  const offset = offsetAt(zone, time)
  const skipped = Math.max(0, offset - offsetAt(zone, time - 3 * hour))
  let first = Number.POSITIVE_INFINITY
  for (let shown = nextShown(time + offset - skipped); ; shown = nextShown(shown)) {
    if (first < Number.POSITIVE_INFINITY && shown >= first + offsetAt(zone, first)) return first
    const found = whenShown(zone, shown)
    if (found > time) first = Math.min(first, found)
  }
}

/** The last times that the schedule names from one moment to another, both included, oldest first. */
export function ticksBetween(times: Schedule, from: Date, to: Date, limit: number): Date[] {
  const ticks: Date[] = []
  let until = to.getTime()
  // As far back as the one before was.
  for (let span = 1_000; ticks.length < limit; ) {
    const last = lastTick(times, from.getTime(), until, span)
    if (last === null) break
    ticks.unshift(new Date(last))
    span = Math.max(until - last, 1_000)
    until = last - 1
  }
  return ticks
}

/** Found by halving: a schedule of every second may have named hundreds of thousands in between, the last of them days ago. */
function lastTick(times: Schedule, from: number, to: number, firstSpan: number): number | null {
  const after = (time: number) => tickAfter(times, new Date(time)).getTime()
  let span = firstSpan
  let last = after(Math.max(from - 1, to - span))
  while (last > to && to - span >= from) {
    span *= 4
    last = after(Math.max(from - 1, to - span))
  }
  if (last > to) return null
  for (let end = to; ; ) {
    const next = after(last)
    if (next > to) return last
    const middle = Math.floor((next + end) / 2)
    const further = after(middle)
    if (further > to) end = middle
    last = further > to ? next : further
  }
}
