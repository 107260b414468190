import { CronExpressionParser } from 'cron-parser'

export type Schedule = { schedule: string; timeZone: string }

/** Says what is wrong with a schedule, null when nothing is. */
export function whyNotSchedule({
  schedule,
  timeZone,
}: Schedule): { message: string; field: 'schedule' | 'timeZone' } | null {
  if (!isTimeZone(timeZone)) return { message: `“${timeZone}” is not a time zone.`, field: 'timeZone' }
  const fields = schedule.trim().split(/\s+/).length
  // A parser may take fewer fields and names like @daily; what is stored shall mean one thing to everybody.
  if (fields !== 5 && fields !== 6)
    return { message: 'A schedule has five cron fields, or six with seconds first.', field: 'schedule' }
  try {
    tickAfter({ schedule, timeZone }, new Date())
    return null
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { message: `This is not a cron schedule: ${reason}`, field: 'schedule' }
  }
}

/** The first time after that one which the schedule names. */
export function tickAfter({ schedule, timeZone }: Schedule, time: Date): Date {
  return CronExpressionParser.parse(schedule, { tz: timeZone, currentDate: time }).next().toDate()
}

/** The last time that the schedule names, up to and including that one. */
export function tickUpTo({ schedule, timeZone }: Schedule, time: Date): Date {
  // The parser looks for what is strictly before.
  const currentDate = new Date(Math.floor(time.getTime() / 1_000) * 1_000 + 1_000)
  return CronExpressionParser.parse(schedule, { tz: timeZone, currentDate }).prev().toDate()
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
