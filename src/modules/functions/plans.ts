import type { FunctionIdentity } from '../../../prisma/client/client.ts'
import type { Services } from '../../context.ts'
import type { Identity } from '../../identities.ts'
import { decrypt } from '../../lib/secrets.ts'
import { foresee } from './foreseen.ts'

/** What a run of a function needs to know of it. */
export type FunctionPlan = {
  id: string
  projectId: string
  name: string
  runtime: string
  enabled: boolean
  execute: readonly string[]
  scopes: readonly string[]
  runAs: FunctionIdentity
  timeoutMs: number
  memoryMb: number
  isTrusted: boolean
  maxAttempts: number
  retryAfterMs: number
  logging: boolean
  /** What is run; null before there is something. */
  deployment: { id: string; runtime: string; entrypoint: string; artefactHash: string } | null
  variables: Readonly<Record<string, string>>
}

/** Beyond that a plan is read for each run. */
const mostKept = 64 * 1024

/** A function as it is now, or was a moment ago: it is remembered as callers are (docs/decisions/0009). */
export function findPlan(services: Services, id: string): Promise<FunctionPlan | null> {
  return find(services, id, () => () => {})
}

/** The same of one that a run is likely to follow: what it is run with is read along with it when that is the first time. */
export function findPlanToRun(services: Services, id: string): Promise<FunctionPlan | null> {
  return find(services, id, foresee)
}

/** Callers choose what they ask for, of any length. */
const form = /^[\w-]{1,64}$/

async function find(services: Services, id: string, ahead: typeof foresee): Promise<FunctionPlan | null> {
  if (!form.test(id)) return null
  const read = () => readPlan(services, id, ahead)
  return (await services.identities.find(`function ${id}`, services.clock(), read)).found
}

type Row = Omit<FunctionPlan, 'variables'> & { sealed: Record<string, string> | null }

/** In one statement, so that it is of one moment. A function's own variables win over those of all. */
const query = `
  select f.id, f."projectId", f.name, f.runtime, f.enabled, f.execute, f.scopes, f."runAs", f."timeoutMs", f."memoryMb",
    f."isTrusted", f."maxAttempts", f."retryAfterMs", f.logging,
    case when d.id is not null then json_build_object('id', d.id, 'runtime', d.runtime, 'entrypoint', d.entrypoint,
      'artefactHash', d."artefactHash") end as deployment,
    (select json_object_agg(v.key, v.value) from (
      select distinct on (key) key, value from variables
      where "projectId" = f."projectId" and ("functionId" = f.id or "functionId" is null)
      order by key, "functionId" nulls last) v) as sealed
  from functions f join projects p on p.id = f."projectId" and p."deletedAt" is null
  left join deployments d on d.id = f."deploymentId" and d.status = 'READY'
  where f.id = $1 and f."deletedAt" is null`

async function readPlan(
  { sql, env }: Services,
  id: string,
  ahead: typeof foresee,
): Promise<Identity<FunctionPlan | null>> {
  const reading = sql.query<Row>({ name: 'function', text: query, values: [id] })
  // Second: the first has the connection that was used last.
  const tellCode = ahead({ sql }, id)
  const { rows } = await reading
  const [row] = rows
  if (!row) return { found: null, ids: [], expiresAt: null }
  const { sealed, ...plan } = row
  let size = 0
  const variables = Object.fromEntries(
    Object.entries(sealed ?? {}).map(([key, value]) => {
      size += value.length
      return [key, decrypt(env.SECRET_KEYS, value)]
    }),
  )
  const found = { ...plan, variables }
  tellCode(found)
  return { found, ids: size > mostKept ? [] : [plan.projectId, id], expiresAt: null }
}
