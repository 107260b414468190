import type { AggregateField, Facet } from './aggregate.ts'
import { rightsNow } from './change.ts'
import type { CollectionModel, Neighbour, ProjectModel } from './model.ts'
import type { ConnectionField, ConnectionPlan, Field, Plan } from './plan.ts'

/** A plan that outlives the schema it was made of, with the rights on its fields as they are now. */
export function planNow(model: ProjectModel, plan: Plan): Plan {
  const collection = model.collections.get(plan.collectionId)
  return collection ? { ...plan, fields: plan.fields.map((field) => fieldNow(model, collection, field)) } : plan
}

function fieldNow(model: ProjectModel, collection: CollectionModel, field: Field): Field {
  switch (field.kind) {
    case 'column':
      return { ...field, column: { ...field.column, rights: rightsNow(collection, field.column) } }
    case 'one':
      return { ...field, neighbour: neighbourNow(collection, field.neighbour), plan: planNow(model, field.plan) }
    case 'many':
      return {
        ...field,
        neighbour: neighbourNow(collection, field.neighbour),
        connection: connectionNow(model, field.connection),
      }
    default:
      return field
  }
}

function neighbourNow({ neighbours }: CollectionModel, neighbour: Neighbour): Neighbour {
  for (const { attributeId, own, rights } of neighbours.values())
    if (attributeId === neighbour.attributeId && own === neighbour.own) return { ...neighbour, rights }
  return neighbour
}

function connectionNow(model: ProjectModel, connection: ConnectionPlan): ConnectionPlan {
  const collection = model.collections.get(connection.collectionId)
  return { ...connection, fields: connection.fields.map((field) => connectionFieldNow(model, collection, field)) }
}

function connectionFieldNow(
  model: ProjectModel,
  collection: CollectionModel | undefined,
  field: ConnectionField,
): ConnectionField {
  if (field.kind === 'aggregate')
    return collection ? { ...field, fields: field.fields.map((one) => totalNow(collection, one)) } : field
  if (field.kind === 'nodes') return { ...field, plan: planNow(model, field.plan) }
  if (field.kind !== 'edges') return field
  const fields = field.fields.map((edge) =>
    edge.kind === 'node' ? { ...edge, plan: planNow(model, edge.plan) } : edge,
  )
  return { ...field, fields }
}

function totalNow(collection: CollectionModel, field: AggregateField): AggregateField {
  if (field.kind === 'object') return { ...field, fields: field.fields.map((one) => totalNow(collection, one)) }
  if (field.kind !== 'value' || !('facet' in field.measured)) return field
  const { measured } = field
  return { ...field, measured: { ...measured, facet: facetNow(collection, measured.facet) } }
}

function facetNow(collection: CollectionModel, facet: Facet): Facet {
  if (facet.kind === 'relation') return { ...facet, neighbour: neighbourNow(collection, facet.neighbour) }
  return { ...facet, column: { ...facet.column, rights: rightsNow(collection, facet.column) } }
}
