/**
 * What a function is run with that is asked for here for the first time: an executor will hardly have it. It is read beside the
 * function itself, and not after it, and kept for the moment in which the run is begun.
 */
import { LRUCache } from 'lru-cache'
import { escapeLiteral } from 'pg'
import type { Services } from '../../context.ts'
import { isolates } from './runtimes.ts'

type Deployment = { id: string }
type Plan = { deployment: Deployment | null }
type Code = { deploymentId: string; text: string }

/** Larger ones take longer to read than is won. */
const mostBytes = 256 * 1024
const keptMs = 1_000
/** Whoever asks need not have named a function that there is: more at a time would take connections from others. */
const mostRead = 4

/** Only those that there are. */
const seen = new LRUCache<string, true>({ max: 10_000 })
/** By what copies of a plan have in common. */
const foreseen = new WeakMap<Deployment, Promise<Code | null>>()
let reading = 0

/**
 * Of isolates only: scripts, which are read as text. Bytes are written as hexadecimal by PostgreSQL, and both sides would have twice as
 * much to write and read.
 */
const query = `
  select p."deploymentId", convert_from(p.bytes, 'UTF8') as text from functions f
  join deployment_parts p on p."deploymentId" = f."deploymentId" and p.kind = 'ARTEFACT' and p.number = 0
  where f.id = $1 and f."deletedAt" is null and f.runtime in (${isolates.map(escapeLiteral)}) and length(p.bytes) <= ${mostBytes}`

/** Begins to read; what is answered is told the function when that has been found. */
export function foresee({ sql }: Pick<Services, 'sql'>, functionId: string): (plan: Plan) => void {
  if (seen.has(functionId) || reading >= mostRead) return () => {}
  reading += 1
  const code = sql
    .query<Code>({ name: 'function code', text: query, values: [functionId] })
    .then(
      ({ rows }) => rows[0] ?? null,
      () => null,
    )
    .finally(() => {
      reading -= 1
    })
  return ({ deployment }) => {
    if (!deployment) return
    seen.set(functionId, true)
    foreseen.set(deployment, code)
    setTimeout(() => foreseen.delete(deployment), keptMs).unref()
  }
}

/** What was foreseen of this deployment of the function, once; null at once where nothing was. */
export function takeForeseen({ deployment }: Plan): Promise<Buffer | null> | null {
  const coming = deployment && foreseen.get(deployment)
  if (!coming) return null
  foreseen.delete(deployment)
  return coming.then((code) => (code?.deploymentId === deployment.id ? Buffer.from(code.text) : null))
}
