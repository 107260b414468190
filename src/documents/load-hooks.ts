import type { Hook, HookRule } from '../modules/functions/hooks.ts'

/** Of functions that can run: a hook whose function has nothing to run yet is not in force. `$1` is the project. */
export const hooksQuery = `
  select id as "functionId", hooks as rules from functions
  where "projectId" = $1 and hooks <> '[]' and enabled and "deletedAt" is null and "deploymentId" is not null
  order by "createdAt", id`

export const databasesQuery = `select id, key from databases where "projectId" = $1`

export type HookRow = { functionId: string; rules: HookRule[] }
export type DatabaseRow = { id: string; key: string }

/** The rules of all functions. Databases are named by their ids from here on. */
export function hooksOf(rows: readonly HookRow[], databases: readonly DatabaseRow[]): Hook[] {
  const ids = new Map(databases.map(({ id, key }) => [key, id]))
  return rows.flatMap(({ functionId, rules }) =>
    rules.map(({ on, ...rule }) => ({
      ...rule,
      functionId,
      on: on.replace(/^databases\.([^.]+)/, (whole, key) => (ids.has(key) ? `databases.${ids.get(key)}` : whole)),
    })),
  )
}
