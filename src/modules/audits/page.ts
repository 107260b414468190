import type { Context } from '../../context.ts'
import { Invalid } from '../../errors.ts'
import { whyNotPattern } from '../events/patterns.ts'
import { isOperator } from '../operators/operators.ts'

export type AuditFilter = {
  resource?: string | null | undefined
  actorId?: string | null | undefined
  userId?: string | null | undefined
  /** A pattern of the event grammar. */
  event?: string | null | undefined
  from?: Date | null | undefined
  to?: Date | null | undefined
}

/** The whole log, for those who run the project; or what a person did and what was done to their account, for them. */
export type View = 'project' | 'own'

/** As Prisma's connections ask for a page: newest first, from the end where `take` is negative. */
export type Page = { take: number; after: string | null }

/** The ids of a page. */
export async function auditIds(ctx: Context, view: View, filter: AuditFilter, page: Page): Promise<string[]> {
  const { where, values } = conditionsOf(ctx, view, filter)
  const backward = page.take < 0
  const beyond = page.after
    ? `and seq ${backward ? '>' : '<'} (select seq from audits where ${where} and id = $${values.push(page.after)}::uuid)`
    : ''
  const { rows } = await ctx.sql.query<{ id: string }>(
    `select id from audits where ${where} ${beyond} order by seq ${backward ? 'asc' : 'desc'}
     limit $${values.push(Math.abs(page.take))}`,
    values,
  )
  return rows.map(({ id }) => id)
}

export async function countAudits(ctx: Context, view: View, filter: AuditFilter): Promise<number> {
  const { where, values } = conditionsOf(ctx, view, filter)
  const { rows } = await ctx.sql.query<{ count: string }>(`select count(*) from audits where ${where}`, values)
  return Number(rows[0]?.count ?? 0)
}

function conditionsOf(ctx: Context, view: View, { resource, actorId, userId, event, from, to }: AuditFilter) {
  const values: unknown[] = [ctx.projectId]
  const bound = (value: unknown) => `$${values.push(value)}`
  const ofUser = (id: string) => {
    const [who, what] = [bound(id), bound(`users.${id}`)]
    return `("actorId" = ${who} or resource = ${what} or starts_with(resource, ${what} || '.'))`
  }
  const conditions = [
    '"projectId" = $1',
    view === 'own' ? ofUser(personOf(ctx)) : String(isOperator(ctx)),
    resource != null && `resource = ${bound(resource)}`,
    actorId != null && `"actorId" = ${bound(actorId)}`,
    userId != null && ofUser(userId),
    event != null && event !== '*' && `event ~ ${bound(expressionOf(event))}`,
    from != null && `at >= ${bound(from)}`,
    to != null && `at < ${bound(to)}`,
  ]
  return { where: conditions.filter(Boolean).join(' and '), values }
}

/** No event is by nobody. */
function personOf({ actor }: Context): string {
  return actor?.kind === 'account' || actor?.kind === 'user' ? actor.id : ''
}

/** The pattern as a regular expression over full names: the same names as `matchesEvent` finds. */
function expressionOf(pattern: string): string {
  const wrong = whyNotPattern(pattern)
  if (wrong) throw new Invalid(wrong, ['where', 'event'])
  // Segments are letters, digits, _ and -, or the star.
  const segments = pattern.split('.').map((segment) => (segment === '*' ? '[^.]+' : segment))
  if (segments.length > 2) return `^${segments.join('\\.')}$`
  const [noun, action] = segments
  return `(^|\\.)${noun}\\.[^.]+\\.${action}$`
}
