import type { AggregateField, Facet } from './aggregate.ts'
import { nobody, rightsNow } from './change.ts'
import type { CollectionModel, Column, Neighbour, ProjectModel } from './model.ts'
import type { OrderTerm } from './order.ts'
import type { Page } from './page.ts'
import type { Condition } from './where.ts'

// What a plan was read of, with the rights as they are now: a field may have been withheld since.

export function columnNow(collection: CollectionModel, column: Column): Column {
  return { ...column, rights: rightsNow(collection, column) }
}

export function neighbourNow({ neighbours }: CollectionModel, neighbour: Neighbour): Neighbour {
  for (const { attributeId, own, rights } of neighbours.values())
    if (attributeId === neighbour.attributeId && own === neighbour.own) return { ...neighbour, rights }
  return { ...neighbour, rights: nobody }
}

export function pageNow(model: ProjectModel, collection: CollectionModel, page: Page): Page {
  const where = page.where && whereNow(model, collection, page.where)
  return { ...page, where, order: page.order.map((term) => termNow(model, collection, term)) }
}

function whereNow(model: ProjectModel, collection: CollectionModel, condition: Condition): Condition {
  switch (condition.kind) {
    case 'compare':
      return { ...condition, column: columnNow(collection, condition.column) }
    case 'not':
      return { ...condition, of: whereNow(model, collection, condition.of) }
    case 'related': {
      const related = model.collections.get(condition.neighbour.collectionId)
      const of = related ? whereNow(model, related, condition.of) : condition.of
      return { ...condition, neighbour: neighbourNow(collection, condition.neighbour), of }
    }
    default:
      return { ...condition, of: condition.of.map((one) => whereNow(model, collection, one)) }
  }
}

function termNow(model: ProjectModel, collection: CollectionModel, term: OrderTerm): OrderTerm {
  if (term.kind === 'shuffle') return term
  const ends = [collection]
  const way = term.way.map((neighbour) => {
    const from = ends.at(-1) ?? collection
    ends.push(model.collections.get(neighbour.collectionId) ?? from)
    return neighbourNow(from, neighbour)
  })
  const end = ends.at(-1) ?? collection
  if (term.kind === 'count') return { ...term, way, of: neighbourNow(end, term.of) }
  return { ...term, way, column: columnNow(end, term.column) }
}

export function totalNow(collection: CollectionModel, field: AggregateField): AggregateField {
  if (field.kind === 'object') return { ...field, fields: field.fields.map((one) => totalNow(collection, one)) }
  if (field.kind !== 'value' || !('facet' in field.measured)) return field
  const { measured } = field
  return { ...field, measured: { ...measured, facet: facetNow(collection, measured.facet) } }
}

function facetNow(collection: CollectionModel, facet: Facet): Facet {
  if (facet.kind === 'relation') return { ...facet, neighbour: neighbourNow(collection, facet.neighbour) }
  return { ...facet, column: columnNow(collection, facet.column) }
}
