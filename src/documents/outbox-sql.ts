import { jsonObject, literal } from './json.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import type { Scope } from './scope.ts'
import { defer } from './slots.ts'

/** What the log tells of rows: SQL over the columns of the source. `before`, `after` and `changed` are JSON texts. */
export type Logged = {
  action: 'created' | 'updated' | 'deleted'
  /** The document's id. */
  id: string
  before: string
  after: string
  changed: string
}

/** A UUID of version 7, as `newEventId` makes them: 48 bits of milliseconds, the rest random. */
const newEventIdSql = `(lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(gen_random_uuid()::text, 16))::uuid`

const actorKind = defer(({ actor }) => actor?.kind ?? 'guest')
const actorId = defer(({ actor }) => actor?.id ?? null)
const trace = defer((given) => given.trace ?? null)
const executionId = defer((given) => given.executionId ?? null)

/**
 * What `emit` does, for all rows of a statement at once: one event for each, in the order of the source's rows. They were
 * written by the same statement, and their locks keep the order of events about one document.
 */
export function outboxSql(
  { param, model }: Pick<Scope, 'param'> & { model: Pick<ProjectModel, 'projectId'> },
  collection: CollectionModel,
  logged: Logged,
  source: string,
): string {
  const { databaseId, id: collectionId, key } = collection
  const aggregate = `${literal(`databases.${databaseId}.collections.${key}.documents.`)} || ${logged.id}`
  const payload = jsonObject([
    ['databaseId', text(databaseId)],
    ['collectionId', text(collectionId)],
    ['collectionKey', text(key)],
    ['id', `to_json(${logged.id})::text`],
    ['before', logged.before],
    ['after', logged.after],
    ['changed', logged.changed],
  ])
  const values = [
    newEventIdSql,
    param(model.projectId, 'text'),
    `${aggregate} || ${literal(`.${logged.action}`)}`,
    literal(`documents.${logged.action}`),
    aggregate,
    `${payload}::jsonb`,
    param(actorKind, 'text'),
    param(actorId, 'text'),
    param(trace, 'text'),
    param(executionId, 'text'),
  ]
  return `insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", trace, "executionId")
    select ${values.join(', ')} ${source}`
}

function text(value: string): string {
  return literal(JSON.stringify(value))
}
