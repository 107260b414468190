import {
  GraphQLEnumType,
  GraphQLID,
  type GraphQLInputFieldConfig,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
} from 'graphql'
import { namedIds } from '../../src/documents/bulk.ts'
import { nestedInputs } from './nested-inputs.ts'
import { listOf, type SharedTypes } from './shared.ts'
import type { TypesOf } from './types.ts'
import { type ColumnTypes, describe, described } from './values.ts'
import type { VisibleCollection } from './visible.ts'

/** `CreatePostInput`. */
export function createInputType(
  shared: SharedTypes,
  visible: VisibleCollection,
  valueTypes: ColumnTypes,
  types: TypesOf,
): GraphQLInputObjectType {
  const { typeName, key } = visible.collection
  return new GraphQLInputObjectType({
    name: `Create${typeName}Input`,
    description: `A new document of \`${key}\`.`,
    fields: () => ({
      id: {
        type: GraphQLID,
        description: 'Its id: 1 to 64 of the characters A-Z a-z 0-9 . _ -. One is made if it is left out.',
      },
      ...moments(shared, visible),
      ...attributes(visible, valueTypes, true),
      ...nestedInputs(visible, types, 'links'),
      ...permissions(
        shared,
        visible,
        'Who may do what with it. If left out, its creator everything, where that is an end user.',
      ),
    }),
  })
}

/** `UpdatePostInput`. */
export function updateInputType(
  shared: SharedTypes,
  visible: VisibleCollection,
  valueTypes: ColumnTypes,
  types: TypesOf,
): GraphQLInputObjectType {
  const { typeName, key } = visible.collection
  return new GraphQLInputObjectType({
    name: `Update${typeName}Input`,
    description: `Changes of a document of \`${key}\`. What is left out stays as it is.`,
    fields: () => ({
      id: { type: new GraphQLNonNull(GraphQLID), description: `Which ${typeName}.` },
      ...moments(shared, visible),
      ...attributes(visible, valueTypes, false),
      ...nestedInputs(visible, types, 'linkChanges'),
      ...permissions(shared, visible, 'Who may do what with it, instead of all that was granted before.'),
    }),
  })
}

/** `UpsertPostInput`. */
export function upsertInputType(
  shared: SharedTypes,
  visible: VisibleCollection,
  valueTypes: ColumnTypes,
  types: TypesOf,
): GraphQLInputObjectType {
  const { typeName, key } = visible.collection
  return new GraphQLInputObjectType({
    name: `Upsert${typeName}Input`,
    description: `A document of \`${key}\` that is there or is to be. Of one that is there, what is left out stays as it is.`,
    fields: () => ({
      id:
        uniqueKeys(visible).length > 0
          ? { type: GraphQLID, description: `${whichId} Required, unless it is found by something else.` }
          : { type: new GraphQLNonNull(GraphQLID), description: whichId },
      ...moments(shared, visible),
      ...attributes(visible, valueTypes, true),
      ...nestedInputs(visible, types, 'linkChanges'),
      ...permissions(shared, visible, 'Who may do what with it, instead of all that was granted before.'),
    }),
  })
}

const whichId = 'Its id: 1 to 64 of the characters A-Z a-z 0-9 . _ -.'

/** `PostUniqueKey`; null where documents are found by their ids alone. */
export function uniqueKeyType(visible: VisibleCollection): GraphQLEnumType | null {
  const keys = uniqueKeys(visible)
  const { typeName, key } = visible.collection
  if (keys.length === 0) return null
  const own = keys.map(([name, fields]) => [name, { description: `By ${fields.join(', ')}.` }] as const)
  return new GraphQLEnumType({
    name: `${typeName}UniqueKey`,
    description: `What no two documents of \`${key}\` have in common.`,
    values: { id: { description: 'By id.' }, ...Object.fromEntries(own) },
  })
}

/** Those that this class of callers can both read and set. Enums have no value of these names. */
function uniqueKeys({ collection, columns, settableColumns, neighbours, settable }: VisibleCollection) {
  const read = new Set([...columns, ...neighbours].map(({ key }) => key))
  const set = new Set([...settableColumns, ...settable].map(({ key }) => key))
  return [...collection.uniques].filter(
    ([name, keys]) => !['true', 'false', 'null'].includes(name) && keys.every((key) => read.has(key) && set.has(key)),
  )
}

/** `PostSet`; null where there is nothing to be set. */
export function setInputType(visible: VisibleCollection, valueTypes: ColumnTypes): GraphQLInputObjectType | null {
  const { typeName, key } = visible.collection
  const settableColumns = visible.settableColumns.filter(({ encrypted }) => !encrypted)
  const fields = attributes({ ...visible, settableColumns }, valueTypes, false)
  if (Object.keys(fields).length === 0) return null
  return new GraphQLInputObjectType({
    name: `${typeName}Set`,
    description: `What is set in each of many documents of \`${key}\`. What is left out stays as it is.`,
    fields,
  })
}

/** `PostBulkResult`. */
export function bulkResultType({ collection: { typeName, key } }: VisibleCollection): GraphQLObjectType {
  return new GraphQLObjectType({
    name: `${typeName}BulkResult`,
    description: `What became of many documents of \`${key}\`.`,
    fields: {
      count: { type: new GraphQLNonNull(GraphQLInt), description: 'How many were written.' },
      ids: { type: listOf(GraphQLID), description: `Their ids in order, the first ${namedIds.toLocaleString('en')}.` },
    },
  })
}

function permissions(
  shared: SharedTypes,
  { collection }: VisibleCollection,
  description: string,
): GraphQLInputFieldConfigMap {
  if (!collection.documentPermissions) return {}
  return { permissions: { type: new GraphQLList(new GraphQLNonNull(shared.PermissionInput)), description } }
}

/** A server brings documents along from elsewhere as old as they are. */
function moments({ DateTime }: SharedTypes, { caller }: VisibleCollection): GraphQLInputFieldConfigMap {
  if (caller.kind !== 'all' && caller.kind !== 'key') return {}
  return {
    createdAt: { type: DateTime, description: 'When it was created; now, for a new one, if left out.' },
    updatedAt: { type: DateTime, description: 'When it was last changed; now, if left out.' },
  }
}

function attributes(
  { settableColumns, settable }: VisibleCollection,
  valueTypes: ColumnTypes,
  creates: boolean,
): GraphQLInputFieldConfigMap {
  const needed = (isRequired: boolean, type: GraphQLInputType) =>
    creates && isRequired ? new GraphQLNonNull(type) : type
  return {
    ...eachOf(settableColumns, (column) => {
      const type = needed(column.required && column.default === undefined, valueTypes.input(column))
      // What is there keeps its value: a default is for what is new.
      const description = describe(creates ? column : { ...column, default: undefined })
      return [column.key, { type, description }]
    }),
    ...eachOf(
      settable.filter(({ join }) => join.kind === 'to'),
      (relation) => {
        const needed = creates && relation.required ? ' Required, unless the document is created with it.' : ''
        const pointing = `The id of the document that it points at, which you must be able to read.${needed}`
        return [relation.key, { type: GraphQLID, description: described(relation, pointing) }]
      },
    ),
  }
}

function eachOf<T>(
  items: Iterable<T>,
  entry: (item: T) => [string, GraphQLInputFieldConfig],
): GraphQLInputFieldConfigMap {
  return Object.fromEntries([...items].map(entry))
}
