import type { Context } from '../../src/context.ts'
import { type Change, rowsOf } from './changes.ts'

const diskIsFull = '53100'

/** Says on its row why a change is not made yet, where that is for the person who asked for it to know. It is tried again. */
export async function explainDelay(ctx: Context, { task, id }: Change, code: string): Promise<void> {
  const table = rowsOf[task]
  if (!table || code !== diskIsFull) return
  const reason = 'The disk of the PostgreSQL server is full. It goes on when there is room.'
  // A disk without any room at all does not even take this.
  await ctx.sql.query(`update ${table} set "statusReason" = $2 where id = $1`, [id, reason]).catch(() => {})
}
