import { setTimeout as sleep } from 'node:timers/promises'
import { sqlTransaction } from '../../src/context.ts'
import { raiseRevision } from '../../src/modules/databases/revision.ts'
import type { World } from '../../src/testing/world.ts'
import { askRaw, type Peer } from '../client.ts'
import type { Project } from '../projects.ts'

const key = 'added'

/** Adds an attribute to the collection at this place, or takes it away again: the rows and the column as the worker leaves them. */
export async function toggleAttribute(
  { app, context }: World,
  { id, collectionIds }: Project,
  place: number,
): Promise<boolean> {
  const collectionId = collectionIds[place]
  if (!collectionId) throw new Error(`There is no collection ${place}.`)
  const table = `"${id}"."${collectionId}"`
  const ctx = context(id, { kind: 'system', id: 'bench' })
  const removed = await app.db.attribute.deleteMany({ where: { collectionId, key } })
  const adds = removed.count === 0
  if (adds) {
    const row = { id: `att_${collectionId}`, projectId: id, collectionId, key, column: key, type: 'INTEGER' as const }
    await app.db.attribute.create({ data: { ...row, status: 'AVAILABLE' } })
    await app.sql.query(`alter table ${table} add column ${key} int4`)
  }
  await sqlTransaction(ctx, raiseRevision)
  if (!adds) await app.sql.query(`alter table ${table} drop column ${key}`)
  return adds
}

/** Asks until the node's schema has the attribute, or has it no more: how long that took. */
export async function awaitAttribute(peer: Peer, place: number, expected: boolean): Promise<number> {
  const begun = performance.now()
  const body = JSON.stringify({ query: `{ thing${place}s(first: 1) { nodes { ${key} } } }` })
  for (;;) {
    const { text } = await askRaw(peer, body)
    const { errors } = JSON.parse(text) as { errors?: { extensions: { code: string } }[] }
    const code = errors?.[0]?.extensions.code
    // A table may lose a column before the node has heard of it.
    if (code !== undefined && code !== 'INVALID' && code !== 'UNAVAILABLE') throw new Error(JSON.stringify(errors))
    if (code !== 'UNAVAILABLE' && (errors === undefined) === expected) return performance.now() - begun
    if (performance.now() - begun > 10_000) throw new Error('A change did not arrive within 10 s.')
    await sleep(20)
  }
}
