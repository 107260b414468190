import { type FieldNode, type GraphQLResolveInfo, getArgumentValues, isObjectType } from 'graphql'
import type { CollectionModel, Column, ProjectModel, Relation, Reverse } from './model.ts'
import { type Page, parsePage } from './page.ts'
import { type Source, selectedFields } from './selection.ts'

/** What is asked of a document, by response key: what a statement answers, each resolver finds under its own key. */
export type Plan = { collectionId: string; fields: readonly Field[] }

export type Field = { key: string } & (
  | { kind: 'typename'; name: string }
  | { kind: 'column'; column: Column }
  | { kind: 'permissions' }
  | { kind: 'one'; relation: Relation; plan: Plan }
  | { kind: 'many'; reverse: Reverse; connection: ConnectionPlan }
)

export type ConnectionPlan = { collectionId: string; page: Page; fields: readonly ConnectionField[] }

export type ConnectionField = { key: string } & (
  | { kind: 'typename'; name: string }
  | { kind: 'nodes'; plan: Plan }
  | { kind: 'edges'; fields: readonly EdgeField[] }
  /** Whole, whatever is selected of it, but `bounds` only where it is asked what lies beyond the page. */
  | { kind: 'pageInfo'; bounds: boolean; cursors: boolean }
  | { kind: 'totalCount' }
)

export type EdgeField = { key: string } & (
  | { kind: 'typename'; name: string }
  | { kind: 'cursor' }
  | { kind: 'node'; plan: Plan }
)

type Info = Pick<GraphQLResolveInfo, 'fragments' | 'variableValues' | 'schema' | 'fieldNodes'>

/** The plan of the field that is being resolved, where it answers one document. */
export function planDocument(info: Info, model: ProjectModel, collection: CollectionModel): Plan {
  return documentPlan(info, model, collection, info.fieldNodes, [])
}

/** The plan of the field that is being resolved, where it answers a connection. */
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
  if (name === 'permissions') return { key, kind: 'permissions' }
  const column = collection.columns.get(name)
  if (column) return { key, kind: 'column', column }
  const relation = collection.relations.get(name)
  const related = relation && model.collections.get(relation.collectionId)
  if (relation && related)
    return { key, kind: 'one', relation, plan: documentPlan(source, model, related, nodes, path) }
  const reverse = collection.reverses.find((one) => one.key === name)
  const many = reverse && model.collections.get(reverse.collectionId)
  if (!reverse || !many) throw new Error(`${collection.typeName} has no field ${name}.`)
  const args = argumentsOf(source, collection.typeName, nodes)
  return { key, kind: 'many', reverse, connection: connectionPlan(source, model, many, nodes, args, path) }
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
    case 'pageInfo': {
      const names = [...selectedFields(source, nodes, 'PageInfo').values()].map(([node]) => node?.name.value ?? '')
      return {
        key,
        kind: 'pageInfo',
        bounds: names.some((name) => name.startsWith('has')),
        cursors: names.some((name) => name.endsWith('Cursor')),
      }
    }
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
