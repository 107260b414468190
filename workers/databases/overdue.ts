import type { Context } from '../../src/context.ts'
import { pendingChanges, rowsOf } from './changes.ts'
import { fail } from './fail.ts'

/** What still waits when a job is given up has waited for so long; what is younger has a job of its own. */
const overdueMs = 10 * 60_000

/** Says of what could not be made in all that time that it failed. What is to be dropped is tried again for ever. */
export async function failOverdue(ctx: Context, reason: string): Promise<void> {
  const before = new Date(ctx.clock().getTime() - overdueMs)
  for (const { task, id } of await pendingChanges(ctx.sql, ctx.projectId)) {
    const table = rowsOf[task]
    if (!table) continue
    const { rows } = await ctx.sql.query<{ statusReason: string | null }>(
      `select "statusReason" from ${table} where id = $1 and "updatedAt" < $2`,
      [id, before],
    )
    if (rows.length === 0) continue
    ctx.log.warn({ task, id, reason }, 'a schema change was given up')
    await fail(
      ctx,
      task,
      id,
      rows[0]?.statusReason ??
        'It could not be made: other transactions held the table for too long, or it has too many documents.',
    )
  }
}
