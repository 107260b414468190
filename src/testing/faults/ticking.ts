import { request } from '../../../examples/client/request.ts'
import { createReceiver } from '../receiver.ts'
import { pathOf } from './project.ts'
import type { Stage } from './stage.ts'

/** A task that runs each second. `stop` answers how many seconds it missed, how often it was called again, and how often out of time. */
export async function startTicking({ urls, project, sql }: Stage): Promise<{ stop: () => Promise<number> }> {
  const receiver = await createReceiver()
  const to = { url: (urls[1] ?? '') + pathOf(project.id), authorization: project.key }
  const input = { name: `tick-${Date.now()}`, schedule: '* * * * * *', url: receiver.url }
  const { createTask } = await request<{ createTask: { id: string } }>(
    to,
    'mutation ($input: CreateTaskInput!) { createTask(input: $input) { id } }',
    { input },
  )
  const begun = await now(sql)
  return {
    stop: async () => {
      const ended = await now(sql)
      await request(to, 'mutation ($id: ID!) { updateTask(input: { id: $id, enabled: false }) { id } }', createTask)
      const { rows } = await sql.query<{ at: Date }>('select "scheduledAt" as at from task_runs where "taskId" = $1', [
        createTask.id,
      ])
      receiver.close()
      const calls = receiver.received.map(({ headers }) => headers['tendril-run-id'])
      const seconds = new Set(rows.map(({ at }) => at.getTime() / 1000))
      // The first and the last one may be on either side of the line.
      const due = range(Math.ceil(begun) + 1, Math.floor(ended) - 1)
      const missed = due.filter((second) => !seconds.has(second)).length
      const outOfTime = [...seconds].filter((second) => second < begun - 1 || second > ended + 2).length
      return missed + outOfTime + calls.length - new Set(calls).size
    },
  }
}

/** PostgreSQL's time, in seconds. */
async function now(sql: Stage['sql']): Promise<number> {
  const { rows } = await sql.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 as now')
  return rows[0]?.now ?? 0
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
