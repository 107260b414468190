import { consoleProjectId, type TxContext, takeTurn } from '../../context.ts'
import { emit } from '../../event.ts'
import { projectSchemaChanged } from '../projects/events.ts'

/**
 * Lets one transaction at a time change what a project's databases are made of, so that what it has checked (names,
 * limits, relations) still holds when it commits. Comes before every other lock of such a transaction.
 */
export function lockSchema(tx: TxContext): Promise<void> {
  return takeTurn(tx, `schema:${tx.projectId}`)
}

/**
 * Tells every API node that the project's types changed. Comes last in its transaction: the project's row is held from
 * here to the commit.
 */
export async function raiseRevision(tx: TxContext): Promise<void> {
  const rows = await tx.query<{ revision: number }>(
    `update projects set "schemaRevision" = "schemaRevision" + 1 where id = $1 returning "schemaRevision" as revision`,
    [tx.projectId],
  )
  const revision = rows[0]?.revision
  // A project that is being deleted has no types any more.
  if (revision === undefined) return
  await emit(tx, projectSchemaChanged, { projectId: tx.projectId, revision }, consoleProjectId)
}
