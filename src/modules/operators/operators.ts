import type { Context } from '../../context.ts'
import { Forbidden } from '../../errors.ts'
import { rolesOf } from '../permissions/roles.ts'

/** Whether the caller runs the project, rather than being one of its users: a member, an API key, or Tendril itself. */
export function isOperator(ctx: Pick<Context, 'actor'>): boolean {
  return rolesOf(ctx) === null
}

/** Which rows of the project an operator sees: all. Anybody else: none. */
export function operatorRows(ctx: Pick<Context, 'actor' | 'projectId'>): { projectId: string; id?: { in: string[] } } {
  return isOperator(ctx) ? { projectId: ctx.projectId } : { projectId: ctx.projectId, id: { in: [] } }
}

export function requireOperator(ctx: Pick<Context, 'actor'>): void {
  if (!isOperator(ctx)) throw new Forbidden('You may not do this.')
}
