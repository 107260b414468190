import type { Context } from '../../context.ts'
import { Invalid, SchemaChanged } from '../../errors.ts'
import { limitedSql } from '../answer-size.ts'
import { connectionSql } from '../connection-sql.ts'
import { documentSql } from '../document-sql.ts'
import { keepingOf } from '../keeping.ts'
import type { CollectionModel, ProjectModel } from '../model.ts'
import { type Page, parsePage } from '../page.ts'
import { holderOf } from '../permissions.ts'
import type { Plan } from '../plan.ts'
import { openScope } from '../scope.ts'
import { hasRelated, isLive } from '../where.ts'
import type { LiveStatement } from './groups.ts'

/** A live query as it was asked for. */
export type Asked = {
  collectionId: string
  /** `where`, `orderBy` and `first`. */
  args: Readonly<Record<string, unknown>>
  /** What is selected of a document, by the place of the selection: made anew for each model. */
  plansOf: (model: ProjectModel, collection: CollectionModel) => ReadonlyMap<string, Plan>
}

/** A live query for one model of the schema and one caller. */
export type Planned = {
  model: ProjectModel
  collection: CollectionModel
  statement: LiveStatement
  page: Page
  /** The collections whose documents are in the answer, or decide what is. */
  reads: ReadonlySet<string>
  /** Whether the image of a document tells by itself that it is not in the list. */
  isPlain: boolean
}

export function planLive(ctx: Context, model: ProjectModel, asked: Asked): Planned {
  const collection = model.collections.get(asked.collectionId)
  if (!collection) throw new SchemaChanged('The collection is gone.')
  const page = parsePage(model, collection, asked.args, [])
  const id = collection.columns.get('id')
  if (!id) throw new Error('A document has no id.')
  const ids: Plan = { collectionId: collection.id, fields: [{ key: 'id', kind: 'column', column: id }] }
  const fields = [...asked.plansOf(model, collection), ['#ids', ids] as const].map(
    ([key, plan]) => ({ key, kind: 'nodes', plan }) as const,
  )
  const scope = openScope(model, holderOf(ctx).read)
  // Not `anyDocument`: what is told of a list is what has changed, so all that is near has to be in it.
  const list = connectionSql(scope, { collectionId: collection.id, page, fields }, () => [], documentSql)
  const text = limitedSql(`select ${list} as answer`)
  if (keepingOf(scope, text) === null)
    throw new Invalid('A live query has an order that stays: not one by chance.', ['orderBy'])
  const reads = new Set([...scope.reads].map((one) => one.id))
  return {
    model,
    collection,
    statement: { text, values: scope.bound() },
    page,
    reads,
    isPlain: isPlain(collection, page, reads),
  }
}

function isPlain({ neighbours }: CollectionModel, { where }: Page, reads: ReadonlySet<string>): boolean {
  // Of documents of its own collection, too, a filter, an order or a selection may look at others.
  const joinsItself = [...neighbours.values()].some(({ collectionId }) => reads.has(collectionId))
  return reads.size === 1 && !joinsItself && (where === null || (isLive(where) && !hasRelated(where)))
}
