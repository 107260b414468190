import type { Context } from '../../context.ts'
import { LimitExceeded } from '../../errors.ts'
import { isOperator } from '../operators/operators.ts'

/** Executions of a project that were asked for with `async` or `scheduledAt`, and wait; and the bytes of their bodies. */
export const waitingLimits = {
  executions: 10_000,
  bodyBytes: 100 * 1024 * 1024,
  /** Those who run the project find room where its users and guests have filled theirs. */
  operatorsTimes: 2,
} as const

/**
 * Throws LimitExceeded where no more may wait. What is asked for at the same moment may come to wait besides: as much as nodes
 * run at a time, and for that nobody waits for another here.
 */
export async function requireRoomToWait(ctx: Context, bodyBytes: number): Promise<void> {
  const { rows } = await ctx.sql.query<{ executions: number; bytes: number }>({
    name: 'executions wait',
    text: `select count(*)::int as executions, coalesce(sum(octet_length("requestBody")), 0)::float8 as bytes from executions
           where "projectId" = $1 and status = 'PENDING' and "isAsync" and trigger = 'API'`,
    values: [ctx.projectId],
  })
  const { executions, bytes } = rows[0] ?? { executions: 0, bytes: 0 }
  const times = isOperator(ctx) ? waitingLimits.operatorsTimes : 1
  if (executions >= waitingLimits.executions * times)
    throw new LimitExceeded(
      'Too many executions of this project wait that were asked for with `async` or `scheduledAt`.',
    )
  if (bytes + bodyBytes > waitingLimits.bodyBytes * times)
    throw new LimitExceeded('The bodies of the executions of this project that wait are too large together.')
}
