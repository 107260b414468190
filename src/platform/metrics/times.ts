/** A histogram of durations, by the values of a few labels, of which there are few. */
export type Times = {
  observe: (ms: number, ...values: string[]) => void
  /** As prom-client's registry asks for it. */
  metric: { name: string; help: string; type: 'histogram'; get: () => unknown }
}

/** Upper bounds in seconds; the last is infinite. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

type Series = { values: readonly string[]; counts: Float64Array; seconds: number }

/**
 * It stands in the path of every request, and takes a fifth of the time of prom-client's own, which makes a key of an
 * object of labels each time: 0.1 against 0.5 µs.
 */
export function createTimes(name: string, help: string, labels: readonly string[]): Times {
  const series = new Map<string, Series>()

  const observe = (ms: number, ...values: string[]) => {
    let key = ''
    for (const value of values) key += `${value} `
    let found = series.get(key)
    if (!found) {
      found = { values, counts: new Float64Array(bounds.length + 1), seconds: 0 }
      series.set(key, found)
    }
    const seconds = ms / 1_000
    let at = 0
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++
    found.counts[at] = (found.counts[at] ?? 0) + 1
    found.seconds += seconds
  }
  const get = () => ({
    name,
    help,
    type: 'histogram',
    values: [...series.values()].flatMap((one) => rowsOf(name, labels, one)),
  })
  return { observe, metric: { name, help, type: 'histogram', get } }
}

/** The lines of one series: how many took at most so long, how long all took, how many there were. */
function rowsOf(name: string, labelNames: readonly string[], { values, counts, seconds }: Series) {
  const labels = Object.fromEntries(labelNames.map((label, n) => [label, values[n] ?? '']))
  let total = 0
  const buckets = [...counts].map((count, n) => {
    total += count
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[n] ?? '+Inf' }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: seconds },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
