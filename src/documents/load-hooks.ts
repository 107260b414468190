import type { PoolClient } from 'pg'
import type { Hook, HookRule } from '../modules/functions/hooks.ts'

/** Of functions that can run: a hook whose function has nothing to run yet is not in force. */
const hooksQuery = `
  select id as "functionId", hooks as rules from functions
  where "projectId" = $1 and hooks <> '[]' and enabled and "deletedAt" is null and "deploymentId" is not null
  order by "createdAt", id`

/** Those of functions that can run. Databases are named by their ids from here on. */
export async function readHooks(client: PoolClient, projectId: string): Promise<Hook[]> {
  const { rows } = await client.query<{ functionId: string; rules: HookRule[] }>(hooksQuery, [projectId])
  if (rows.length === 0) return []
  const { rows: databases } = await client.query<{ id: string; key: string }>(
    'select id, key from databases where "projectId" = $1',
    [projectId],
  )
  const ids = new Map(databases.map(({ id, key }) => [key, id]))
  return rows.flatMap(({ functionId, rules }) =>
    rules.map(({ on, ...rule }) => ({
      ...rule,
      functionId,
      on: on.replace(/^databases\.([^.]+)/, (whole, key) => (ids.has(key) ? `databases.${ids.get(key)}` : whole)),
    })),
  )
}
