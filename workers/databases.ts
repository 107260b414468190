import { asSystem } from '../src/context.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { applySchemaChangesJob } from '../src/modules/databases/jobs.ts'
import { applySchemaChanges } from './databases/apply.ts'
import { projectsBehind } from './databases/changes.ts'
import { failOverdue } from './databases/overdue.ts'
import { implement, type Owed, type Reaction, type Worker } from './implement.ts'

const minute = 60_000

/** One job for each project of a batch, however many of its attributes were asked for. */
const onRequests: Reaction = async (_services, events) => {
  const last = new Map(events.filter(asksForChange).map(({ projectId, id }) => [projectId, id]))
  return [...last].map(([projectId, id]) => owe(projectId, id))
}

/** Whether an event is about something still to be made, not about what this worker has made of it. */
export function asksForChange({
  type,
  payload,
  actorKind,
}: Pick<LoggedEvent, 'type' | 'payload' | 'actorKind'>): boolean {
  const [noun = '', action] = type.split('.')
  if (type === 'databases.deleted' || type === 'collections.deleted') return true
  if (!['collections', 'attributes', 'indexes'].includes(noun)) return false
  const { status = '' } = payload as { status?: string }
  if (action === 'created' || status === 'DELETING' || status === 'CHANGING') return true
  return type === 'collections.updated' && actorKind !== 'system'
}

function owe(projectId: string, key: string): Owed {
  return { job: applySchemaChangesJob, key, data: { projectId }, projectId }
}

/** Makes a project's collections, attributes and indexes in PostgreSQL. */
export const databases: Worker = {
  name: 'databases',
  jobs: [
    implement(
      applySchemaChangesJob,
      async ({ key: _key, signal, ...services }, { projectId }) => {
        services.meter.count(projectId, 'jobs.run')
        const done = await applySchemaChanges(asSystem(services, 'databases', projectId), { signal })
        return done ? undefined : { again: new Date(services.clock().getTime() + 500) }
      },
      (services, { projectId }, reason) => failOverdue(asSystem(services, 'databases', projectId), reason),
    ),
  ],
  reactions: [onRequests],
  owed: async ({ sql, clock }) => {
    const now = clock().getTime()
    const projects = await projectsBehind(sql, new Date(now - 2 * minute))
    // A new key every ten minutes: the job of the last ones may have been given up.
    return projects.map((projectId) => owe(projectId, `${projectId}.${Math.floor(now / (10 * minute))}`))
  },
}
