import { Unavailable } from '../errors.ts'
import { statsdPrefix } from './statsd.ts'

/** What Telegraf has written to InfluxDB 1.x: sums of counters, and the last value of what is measured. */
export type Influx = {
  read: (question: InfluxQuestion) => Promise<InfluxPoint[]>
}

export type InfluxQuestion = {
  projectId: string
  metrics: readonly { name: string; kind: 'COUNT' | 'STOCK' }[]
  period: 'HOUR' | 'DAY'
  from: Date
}

export type InfluxPoint = { metric: string; at: Date; value: number }

const timeoutMs = 5_000

/** `url` names the database: `http://user:password@host:8086/tendril`. */
export function createInflux(url: string): Influx {
  const { origin, pathname, username, password } = new URL(url)
  const db = decodeURIComponent(pathname.slice(1)) || 'tendril'
  const headers: Record<string, string> = username
    ? {
        authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`,
      }
    : {}
  const ask = async (q: string): Promise<Answer> => {
    const search = new URLSearchParams({ db, epoch: 'ms', q })
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(`${origin}/query?${search}`, { headers, signal }).catch((error: unknown) => {
      throw new Unavailable('Usage cannot be read right now.', { cause: error })
    })
    const answer = (await response.json()) as Answer
    const error = answer.error ?? answer.results?.find((result) => result.error)?.error
    if (error) throw new Unavailable('Usage cannot be read right now.', { cause: new Error(`InfluxDB: ${error}`) })
    return answer
  }
  return {
    read: async (question) => {
      if (question.metrics.length === 0) return []
      const { results = [] } = await ask(question.metrics.map((metric) => statementOf(question, metric)).join(';'))
      return question.metrics.flatMap(({ name }, i) => pointsOf(name, results[i]))
    },
  }
}

type Result = { series?: { values: [number, number | null][] }[]; error?: string }
type Answer = { results?: Result[]; error?: string }

/** Telegraf makes `tendril_bytes_in` of `tendril.bytes.in`, two underscores of a hyphen, and a tag of the project. Names and ids are ours, and hold no quotes. */
function statementOf(
  { projectId, period, from }: InfluxQuestion,
  { name, kind }: InfluxQuestion['metrics'][number],
): string {
  const measurement = (statsdPrefix + name).replaceAll('.', '_').replaceAll('-', '__')
  const value = kind === 'COUNT' ? 'sum("value")' : 'last("value")'
  const every = period === 'HOUR' ? '1h' : '1d'
  return `SELECT ${value} FROM "${measurement}" WHERE "project" = '${projectId}' AND time >= ${from.getTime()}ms GROUP BY time(${every}) fill(none)`
}

function pointsOf(metric: string, result: Result | undefined): InfluxPoint[] {
  const values = result?.series?.[0]?.values ?? []
  return values.flatMap(([at, value]) => (value === null ? [] : [{ metric, at: new Date(at), value }]))
}
