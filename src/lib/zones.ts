const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const part = 'numeric' as const
  const parts = { year: part, month: part, day: part, hour: part, minute: part, second: part }
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...parts })
  formats.set(zone, format)
  return format
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** By how many milliseconds clocks in the zone are ahead of UTC at that time. */
export function offsetAt(zone: string, time: number): number {
  const parts = formatOf(zone).formatToParts(time)
  const [year, month, day, hour, minute, second] = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(
    (type) => Number(parts.find((part) => part.type === type)?.value),
  ) as [number, number, number, number, number, number]
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1_000) * 1_000
}

/** When the zone's clocks are next put forward or back in (from, to], which lie a day apart at most. */
export function changeBetween(zone: string, from: number, to: number): number | null {
  const before = offsetAt(zone, from)
  if (offsetAt(zone, to) === before) return null
  let [low, high] = [from, to]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(zone, middle) === before) low = middle
    else high = middle
  }
  return high
}

/** When the zone's clocks first show that time, which is given as if it were UTC; as much later as the clocks skip it by. */
export function whenShown(zone: string, shown: number): number {
  const day = 86_400_000
  const [before, after] = [offsetAt(zone, shown - day), offsetAt(zone, shown + day)]
  const isShown = (offset: number) => offsetAt(zone, shown - offset) === offset
  return isShown(before) || !isShown(after) ? shown - before : shown - after
}
