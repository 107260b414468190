import assert from 'node:assert/strict'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api.ts'
import type { Context } from '../context.ts'

/** What `src/modules/executions/outcome.ts` adds to a log. */
export const tellsOfLeaving =
  'error: Whom the answer was for left before its end, or read it too slowly: the run was ended.'

/** Calls a function by its URL, leaves a while after its answer has begun, or after that time where it never does, and tells what is kept of it. */
export async function leaveFunction(ctx: Context, api: Api, functionId: string, leaveMs: number, answers = true) {
  const { hostname, port } = new URL(api.url)
  await new Promise<void>((resolve) => {
    const leave = () => setTimeout(() => req.destroy(), leaveMs)
    const req = request({ hostname, port, path: `/functions/${functionId}/`, agent: false }, (res) => {
      res.on('error', () => {}).once('data', leave)
    })
    req.on('error', () => {}).once('close', resolve)
    if (!answers) leave()
    req.end()
  })
  const leftAt = performance.now()
  for (;;) {
    const row = await ctx.db.execution.findFirst({ where: { functionId, finishedAt: { not: null } } })
    const logs = row && (row.logs as { level: string; text: string }[]).map(({ level, text }) => `${level}: ${text}`)
    if (row) return { ...row, logs, afterMs: performance.now() - leftAt }
    assert.ok(performance.now() - leftAt < 10_000, 'it did not end')
    await sleep(10)
  }
}
