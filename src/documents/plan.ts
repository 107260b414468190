import { type FieldNode, getArgumentValues, isObjectType } from 'graphql'
import { type AggregateField, totalsOf } from './aggregate.ts'
import type { CollectionModel, Column, Neighbour, ProjectModel } from './model.ts'
import { type Page, parsePage } from './page.ts'
import { type Info, type Source, selectedFields } from './selection.ts'

/** What is asked of a document, by response key: what a statement answers, each resolver finds under its own key. */
export type Plan = { collectionId: string; fields: readonly Field[] }

export type Field = { key: string } & (
  | { kind: 'typename'; name: string }
  | { kind: 'column'; column: Column }
  | { kind: 'permissions'; fields: readonly Named[] }
  | { kind: 'one'; neighbour: Neighbour; plan: Plan }
  | { kind: 'many'; neighbour: Neighbour; connection: ConnectionPlan }
)

/** A field of a type that is the same for all collections, by response key. */
export type Named = { key: string; name: string }

export type ConnectionPlan = { collectionId: string; page: Page; fields: readonly ConnectionField[] }

export type ConnectionField = { key: string } & (
  | { kind: 'typename'; name: string }
  | { kind: 'nodes'; plan: Plan }
  | { kind: 'edges'; fields: readonly EdgeField[] }
  | { kind: 'pageInfo'; fields: readonly Named[] }
  | { kind: 'totalCount' }
  | { kind: 'aggregate'; fields: readonly AggregateField[] }
)

export type EdgeField = { key: string } & (
  | { kind: 'typename'; name: string }
  | { kind: 'cursor' }
  | { kind: 'node'; plan: Plan }
)

/** The plan of a root field that answers one document. */
export function planDocument(info: Info, model: ProjectModel, collection: CollectionModel): Plan {
  return documentPlan(info, model, collection, info.fieldNodes, [])
}

/** The plan of a root field that answers a connection. */
export function planConnection(
  info: Info,
  model: ProjectModel,
  collection: CollectionModel,
  args: Args,
): ConnectionPlan {
  return connectionPlan(info, model, collection, info.fieldNodes, args, [])
}

type Args = Readonly<Record<string, unknown>>
type Nodes = readonly FieldNode[]
type Path = readonly string[]

function documentPlan(
  source: Source,
  model: ProjectModel,
  collection: CollectionModel,
  nodes: Nodes,
  path: Path,
): Plan {
  const selected = [...selectedFields(source, nodes, collection.typeName)]
  const fields = selected.map(([key, fieldNodes]) =>
    documentField(source, model, collection, key, fieldNodes, [...path, key]),
  )
  return { collectionId: collection.id, fields }
}

function documentField(
  source: Source,
  model: ProjectModel,
  collection: CollectionModel,
  key: string,
  nodes: Nodes,
  path: Path,
): Field {
  const name = nodes[0]?.name.value ?? ''
  if (name === '__typename') return { key, kind: 'typename', name: collection.typeName }
  if (name === 'permissions') return { key, kind: 'permissions', fields: named(source, nodes, 'Permission') }
  const column = collection.columns.get(name)
  if (column) return { key, kind: 'column', column }
  const neighbour = collection.neighbours.get(name)
  const other = neighbour && model.collections.get(neighbour.collectionId)
  if (!neighbour || !other) throw new Error(`${collection.typeName} has no field ${name}.`)
  if (!neighbour.many) return { key, kind: 'one', neighbour, plan: documentPlan(source, model, other, nodes, path) }
  const args = argumentsOf(source, collection.typeName, nodes)
  return { key, kind: 'many', neighbour, connection: connectionPlan(source, model, other, nodes, args, path) }
}

function named(source: Source, nodes: Nodes, typeName: string): Named[] {
  return [...selectedFields(source, nodes, typeName)].map(([key, [node]]) => ({ key, name: node?.name.value ?? '' }))
}

function argumentsOf(source: Source, typeName: string, [node]: Nodes): Args {
  const type = source.schema.getType(typeName)
  const field = isObjectType(type) && node ? type.getFields()[node.name.value] : undefined
  return field && node ? getArgumentValues(field, node, source.variableValues) : {}
}

function connectionPlan(
  source: Source,
  model: ProjectModel,
  collection: CollectionModel,
  nodes: Nodes,
  args: Args,
  path: Path,
): ConnectionPlan {
  const selected = [...selectedFields(source, nodes, `${collection.typeName}Connection`)]
  const fields = selected.map(([key, fieldNodes]) =>
    connectionField(source, model, collection, key, fieldNodes, [...path, key]),
  )
  return { collectionId: collection.id, page: parsePage(model, collection, args, path), fields }
}

function connectionField(
  source: Source,
  model: ProjectModel,
  collection: CollectionModel,
  key: string,
  nodes: Nodes,
  path: Path,
): ConnectionField {
  switch (nodes[0]?.name.value) {
    case '__typename':
      return { key, kind: 'typename', name: `${collection.typeName}Connection` }
    case 'nodes':
      return { key, kind: 'nodes', plan: documentPlan(source, model, collection, nodes, path) }
    case 'totalCount':
      return { key, kind: 'totalCount' }
    case 'aggregate':
      return { key, kind: 'aggregate', fields: totalsOf(source, nodes, collection) }
    case 'pageInfo':
      return { key, kind: 'pageInfo', fields: named(source, nodes, 'PageInfo') }
    default: {
      const edges = [...selectedFields(source, nodes, `${collection.typeName}Edge`)]
      return {
        key,
        kind: 'edges',
        fields: edges.map(([name, edge]) => edgeField(source, model, collection, name, edge, [...path, name])),
      }
    }
  }
}

function edgeField(
  source: Source,
  model: ProjectModel,
  collection: CollectionModel,
  key: string,
  nodes: Nodes,
  path: Path,
): EdgeField {
  const name = nodes[0]?.name.value
  if (name === '__typename') return { key, kind: 'typename', name: `${collection.typeName}Edge` }
  if (name === 'cursor') return { key, kind: 'cursor' }
  return { key, kind: 'node', plan: documentPlan(source, model, collection, nodes, path) }
}
