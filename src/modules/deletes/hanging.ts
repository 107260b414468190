/** What of a thing goes in one step: rows of a table, or the tables of a project's own collections. */
export type Hanging =
  | {
      table: string
      /** The column that names the thing. */
      by: string
      /** Of which nouns rows go: of the table's own, and of those whose rows PostgreSQL deletes with them, a bounded number each. */
      nouns: readonly string[]
      /** So many rows at a time, where a row takes many others with it. */
      batch?: number
    }
  | { tables: 'collections'; nouns: readonly string[] }

/**
 * What hangs on what: the things that are too large to go in the transaction that deletes them, and what goes before their
 * own row, in this order. They are marked (`deletedAt`) and invisible at once; the deletes worker does the rest.
 *
 * Everything else goes at once, with what it has, for that is bounded: a user with up to 10 sessions, a key, a member, a
 * database or collection with its attributes and indexes, whose tables the databases worker drops.
 */
export const hanging = {
  webhooks: [{ table: 'deliveries', by: 'webhookId', nouns: ['deliveries'] }],
  tasks: [{ table: 'task_runs', by: 'taskId', nouns: ['runs'] }],
  functions: [
    { table: 'executions', by: 'functionId', nouns: ['executions'] },
    { table: 'deployments', by: 'functionId', nouns: ['deployments'], batch: 10 },
    { table: 'variables', by: 'functionId', nouns: ['variables'] },
  ],
  projects: [
    { table: 'keys', by: 'projectId', nouns: ['keys'] },
    { table: 'deliveries', by: 'projectId', nouns: ['deliveries'] },
    { table: 'webhooks', by: 'projectId', nouns: ['webhooks'] },
    { table: 'task_runs', by: 'projectId', nouns: ['runs'] },
    { table: 'tasks', by: 'projectId', nouns: ['tasks'] },
    { table: 'executions', by: 'projectId', nouns: ['executions'] },
    { table: 'deployments', by: 'projectId', nouns: ['deployments'], batch: 10 },
    { table: 'variables', by: 'projectId', nouns: ['variables'] },
    { table: 'functions', by: 'projectId', nouns: ['functions'] },
    { table: 'domains', by: 'projectId', nouns: ['domains'] },
    { table: 'mails', by: 'projectId', nouns: ['mails'] },
    { table: 'senders', by: 'projectId', nouns: ['senders'] },
    { table: 'users', by: 'projectId', nouns: ['users', 'sessions', 'verifications'], batch: 250 },
    { table: 'members', by: 'projectId', nouns: ['members'] },
    { table: 'idempotencies', by: 'projectId', nouns: [] },
    { table: 'schema_versions', by: 'projectId', nouns: ['versions'] },
    // Rows before tables: what has no row is not made any more.
    { table: 'collections', by: 'projectId', nouns: ['collections', 'attributes', 'indexes'], batch: 10 },
    { table: 'databases', by: 'projectId', nouns: ['databases'] },
    { tables: 'collections', nouns: ['documents'] },
    { table: 'job_attempts', by: 'projectId', nouns: ['jobs'] },
    { table: 'job_runs', by: 'projectId', nouns: [] },
    { table: 'audits', by: 'projectId', nouns: [] },
    { table: 'usage', by: 'projectId', nouns: [] },
    { table: 'events.project_heads', by: 'projectId', nouns: [] },
  ],
} satisfies Record<string, readonly Hanging[]>

/** Nouns whose things are marked when they are deleted. */
export type Deletable = keyof typeof hanging

export const deletable = Object.keys(hanging) as Deletable[]
