import { type Context, type DbContext, transaction } from '../src/context.ts'

/**
 * Has an effect of an event once, however often its job is run: the note that it happened is written in the transaction
 * of the effect. Answers false when it had happened before. Outside our database the effect is at least once.
 */
export async function once(
  ctx: Context,
  eventId: string,
  handler: string,
  effect: (ctx: DbContext) => Promise<void>,
): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    const rows = await tx.query(
      'insert into processed ("eventId", handler) values ($1::uuid, $2) on conflict do nothing returning 1 as first',
      [eventId, handler],
    )
    if (rows.length === 0) return false
    await effect(tx)
    return true
  })
}
