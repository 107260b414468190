import assert from 'node:assert/strict'
import { loadModel } from '../documents/load.ts'
import type { CollectionModel, ProjectModel } from '../documents/model.ts'
import { whereSql } from '../documents/related-sql.ts'
import { openScope } from '../documents/scope.ts'
import { parseWhere } from '../documents/where.ts'
import { Invalid } from '../errors.ts'
import { createCollections, type NewCollection } from './collections.ts'
import { createWorld, type World } from './world.ts'

/** One collection, whose rows are named by their place, and what filters find of it. */
export type Things = {
  world: World
  model: ProjectModel
  things: CollectionModel
  /** The places of the rows that match. */
  found: (where: object) => Promise<number[]>
  /** A filter is refused with this path: `point.near.metres`. */
  refused: (where: object, path: string) => void
}

/** `rows` are values by column, as PostgreSQL takes them. */
export async function openThings(
  attributes: NewCollection['attributes'],
  rows: readonly Record<string, unknown>[],
  indexes: NewCollection['indexes'] = {},
): Promise<Things> {
  const world = await createWorld()
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, { things: { attributes, indexes } })
  const model = await loadModel(world.app.sql, projectId)
  const [things] = [...model.collections.values()]
  assert.ok(things)
  const columns = Object.keys(attributes)
  const places = columns.map((_, i) => `$${i + 2}`)
  for (const [i, row] of rows.entries()) {
    await world.app.sql.query(`insert into ${things.table} ("_id", ${columns.join(', ')}) values ($1, ${places})`, [
      `t${String(i).padStart(2, '0')}`,
      ...columns.map((column) => row[column] ?? null),
    ])
  }
  return {
    world,
    model,
    things,
    found: async (where) => {
      const scope = openScope(model, { roles: null, userId: null })
      const condition = whereSql(scope, parseWhere(model, things, where, ['where']), 't')
      const { rows } = await world.app.sql.query(
        `select "_id" as id from ${things.table} t where ${condition} order by "_id"`,
        scope.bound(),
      )
      return rows.map((row) => Number(row.id.slice(1)))
    },
    refused: (where, path) => {
      assert.throws(
        () => parseWhere(model, things, where, ['where']),
        (error) => error instanceof Invalid && String(error.details.path) === `where,${path.replaceAll('.', ',')}`,
        JSON.stringify(where),
      )
    },
  }
}
