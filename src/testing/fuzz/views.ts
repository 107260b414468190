/** Whole views of a project: everything that a caller can read, list by list. */
import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
} from 'graphql'
import type { FieldNode, OperationTree } from './tree.ts'

type Field = GraphQLField<unknown, unknown>

/** One query for each list at the root: its rows with all that they hold, and the ids of those that they point at. */
export function viewsOf(schema: GraphQLSchema, except: ReadonlySet<string>): OperationTree[] {
  return listsOf(schema, except).map((field) => {
    const connection = getNamedType(field.type) as GraphQLObjectType
    const node = getNamedType(connection.getFields().nodes?.type ?? connection) as GraphQLObjectType
    const nodes = fieldNode('nodes', node.name, contents(node, true))
    const first = field.args.find(({ name }) => name === 'first')
    const args = first ? [{ name: 'first', type: first.type, value: 100, isVariable: false }] : []
    const children = [nodes, fieldNode('totalCount', 'Int', [])]
    return { kind: 'query', directives: [], children: [{ ...fieldNode(field.name, connection.name, children), args }] }
  })
}

/** Root fields that answer connections of documents. */
function listsOf(schema: GraphQLSchema, except: ReadonlySet<string>): Field[] {
  return Object.values(schema.getQueryType()?.getFields() ?? {}).filter((field) => {
    const named = getNamedType(field.type)
    return isObjectType(named) && 'nodes' in named.getFields() && !except.has(`Query.${field.name}`)
  })
}

function contents(type: GraphQLObjectType, withObjects: boolean): FieldNode[] {
  return Object.values(type.getFields()).flatMap((field) => {
    const named = getNamedType(field.type)
    if (isLeafType(named)) return field.args.length === 0 ? [fieldNode(field.name, named.name, [])] : []
    if (!withObjects || !isObjectType(named)) return []
    const { id, nodes } = named.getFields()
    if (id) return [fieldNode(field.name, named.name, [fieldNode('id', 'ID', [])])]
    if (!nodes) return [fieldNode(field.name, named.name, contents(named, false))]
    return [fieldNode(field.name, named.name, [fieldNode('totalCount', 'Int', [])])]
  })
}

function fieldNode(name: string, type: string, children: readonly FieldNode[]): FieldNode {
  return { kind: 'field', name, alias: null, type, args: [], directives: [], children }
}
