import type { CollectionModel, ProjectModel } from './model.ts'
import { columnNow, neighbourNow, pageNow, totalNow } from './page-now.ts'
import type { ConnectionField, ConnectionPlan, Field, Plan } from './plan.ts'

/** A plan that outlives the schema it was made of, with the rights on its fields as they are now. */
export function planNow(model: ProjectModel, plan: Plan): Plan {
  const collection = model.collections.get(plan.collectionId)
  return collection ? { ...plan, fields: plan.fields.map((field) => fieldNow(model, collection, field)) } : plan
}

function fieldNow(model: ProjectModel, collection: CollectionModel, field: Field): Field {
  switch (field.kind) {
    case 'column':
      return { ...field, column: columnNow(collection, field.column) }
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

function connectionNow(model: ProjectModel, connection: ConnectionPlan): ConnectionPlan {
  const collection = model.collections.get(connection.collectionId)
  if (!collection) return connection
  const fields = connection.fields.map((field) => connectionFieldNow(model, collection, field))
  return { ...connection, page: pageNow(model, collection, connection.page), fields }
}

function connectionFieldNow(model: ProjectModel, collection: CollectionModel, field: ConnectionField): ConnectionField {
  if (field.kind === 'aggregate') return { ...field, fields: field.fields.map((one) => totalNow(collection, one)) }
  if (field.kind === 'nodes') return { ...field, plan: planNow(model, field.plan) }
  if (field.kind !== 'edges') return field
  const fields = field.fields.map((edge) =>
    edge.kind === 'node' ? { ...edge, plan: planNow(model, edge.plan) } : edge,
  )
  return { ...field, fields }
}
