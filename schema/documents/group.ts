import {
  type GraphQLFieldConfigMap,
  type GraphQLFieldResolver,
  GraphQLID,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
} from 'graphql'
import type { Context } from '../../src/context.ts'
import type { Column, FieldRights, Neighbour } from '../../src/documents/model.ts'
import { type Sealed, unseal } from '../../src/documents/sealed.ts'
import { selectedFields } from '../../src/documents/selection.ts'
import { lazily } from '../../src/lib/lazily.ts'
import { aggregateTypes } from './aggregate.ts'
import { changeType } from './change.ts'
import { liveChangeType, liveType } from './live.ts'
import { linksType } from './nested-inputs.ts'
import { operationsType } from './operation-inputs.ts'
import { orderType } from './order-inputs.ts'
import { pageArgs } from './page-args.ts'
import { listOf, required, type SharedTypes } from './shared.ts'
import type { CollectionTypes, Environment, FieldConfig, TypesOf } from './types.ts'
import { type ColumnTypes, createColumnTypes, describe, described } from './values.ts'
import type { Visible, VisibleCollection } from './visible.ts'
import { manyWhereType, whereType } from './where-inputs.ts'
import {
  bulkResultType,
  createInputType,
  setInputType,
  uniqueKeyType,
  updateInputType,
  upsertInputType,
} from './write-inputs.ts'

type Fields = GraphQLFieldConfigMap<unknown, Context>

/** The types of each collection, made when they are first asked for. */
export function createTypesOf(environment: Environment, visible: Visible): TypesOf {
  const made = new Map<string, CollectionTypes>()
  const typesOf = (collectionId: string) => {
    const known = made.get(collectionId)
    if (known) return known
    const one = visible.get(collectionId)
    if (!one) throw new Error(`${collectionId} is not shown to this caller.`)
    const types = createTypes(environment, one, typesOf)
    made.set(collectionId, types)
    return types
  }
  return typesOf
}

function createTypes(environment: Environment, visible: VisibleCollection, types: TypesOf): CollectionTypes {
  const { shared } = environment
  const valueTypes = createColumnTypes(shared, visible.collection)
  // An operation needs few of them, and of a neighbour hardly any.
  const own: CollectionTypes = lazily<CollectionTypes>({
    document: () => documentType(shared, visible, valueTypes, types),
    connection: () => connectionType(shared, visible, own),
    change: () => changeType(environment, visible, own.document),
    live: () => liveType(visible, own.document, own.liveChange),
    liveChange: () => liveChangeType(environment, visible, own.document),
    where: () => whereType(visible, valueTypes, types),
    manyWhere: () => manyWhereType(shared, visible, own.where),
    order: () => orderType(shared, visible, types),
    aggregate: () => aggregateTypes(shared, visible, valueTypes),
    createInput: () => createInputType(shared, visible, valueTypes, types),
    links: () => linksType(visible, own.createInput, false),
    linkChanges: () => linksType(visible, own.createInput, true),
    newInput: () => (visible.rights.has('create') ? own.createInput : null),
    uniqueKey: () => uniqueKeyType(visible),
    updateInput: () => updateInputType(shared, visible, valueTypes, types),
    upsertInput: () => upsertInputType(shared, visible, valueTypes, types),
    setInput: () => setInputType(visible, valueTypes),
    operations: () => operationsType(shared.values, visible, valueTypes.enumOf),
    bulkResult: () => bulkResultType(visible),
  })
  return own
}

/** The statement has put each answer where its response key says. */
const answer: GraphQLFieldResolver<unknown, Context> = (parent, _args, _ctx, info) =>
  (parent as Record<string, unknown>)[info.path.key]

/** The API's own types look for their fields by name, whatever the response key is. */
function named(typeName: string): GraphQLFieldResolver<unknown, Context> {
  return (parent, args, ctx, info) => {
    const given = answer(parent, args, ctx, info)
    const fields = [...selectedFields(info, info.fieldNodes, typeName)]
    const byName = (one: Record<string, unknown>) =>
      Object.fromEntries(fields.map(([key, [node]]) => [node?.name.value ?? key, one[key]]))
    return Array.isArray(given) ? given.map(byName) : byName(given as Record<string, unknown>)
  }
}

function documentType(
  shared: SharedTypes,
  visible: VisibleCollection,
  valueTypes: ColumnTypes,
  types: TypesOf,
): GraphQLObjectType {
  const { collection, columns, neighbours } = visible
  const own = columns.filter(({ attributeId }) => attributeId !== null)
  return new GraphQLObjectType<unknown, Context>({
    name: collection.typeName,
    description: described(collection, `A document of the collection \`${collection.key}\`.`),
    fields: (): Fields => ({
      id: {
        type: required(GraphQLID),
        resolve: answer,
        description: 'Names it among the documents of its collection.',
      },
      createdAt: { type: required(shared.DateTime), resolve: answer, description: 'When it was created.' },
      updatedAt: { type: required(shared.DateTime), resolve: answer, description: 'When it was last changed.' },
      version: {
        type: required(GraphQLInt),
        resolve: answer,
        description:
          'How often it was written: 1 when it is new. Give it as `ifVersion` to change only what you have seen.',
      },
      permissions: {
        type: listOf(shared.Permission),
        resolve: named('Permission'),
        description: 'What it grants by itself, beside its collection.',
      },
      ...eachOf(own, (column) => {
        const type = valueTypes.output(column)
        // A field that not everybody may read is null for those.
        const always = column.required && isAlwaysReadable(visible, column.rights)
        return [
          column.key,
          {
            type: always ? new GraphQLNonNull(type) : type,
            resolve: column.encrypted ? decrypted(column) : answer,
            description: describe({ ...column, default: undefined }),
          },
        ]
      }),
      ...eachOf(neighbours, (neighbour) => neighbourField(neighbour, types(neighbour.collectionId))),
    }),
  })
}

function neighbourField(
  neighbour: Neighbour,
  { document, connection, where, order }: CollectionTypes,
): [string, FieldConfig] {
  const { key, own, many, join } = neighbour
  if (many) {
    const generated = own
      ? 'The documents that it is linked with.'
      : join.kind === 'from'
        ? `The documents whose \`${join.column}\` is this one.`
        : 'The documents that are linked with it.'
    const description = described(neighbour, generated)
    return [key, { type: required(connection), args: pageArgs({ where, order }), resolve: answer, description }]
  }
  const generated = own
    ? 'The document that it points at; null where there is none, or none that you may read.'
    : 'The document that points at it; null where there is none, or none that you may read.'
  return [key, { type: document, resolve: answer, description: described(neighbour, generated) }]
}

function isAlwaysReadable({ caller }: VisibleCollection, rights: FieldRights | null): boolean {
  return rights === null || caller.kind === 'all' || caller.kind === 'key'
}

/** The statement answers the ciphertext and the document that it belongs to. */
function decrypted({ attributeId }: Column): GraphQLFieldResolver<unknown, Context> {
  return (parent, args, ctx, info) => {
    const sealed = answer(parent, args, ctx, info) as Sealed | null
    return sealed === null ? null : unseal(ctx, attributeId ?? '', sealed)
  }
}

function connectionType(
  shared: SharedTypes,
  { collection }: VisibleCollection,
  types: Pick<CollectionTypes, 'document' | 'aggregate'>,
): GraphQLObjectType {
  const { typeName, key } = collection
  const { document } = types
  const edge = new GraphQLObjectType<unknown, Context>({
    name: `${typeName}Edge`,
    description: `A document of \`${key}\` at its place in a list.`,
    fields: {
      cursor: {
        type: required(GraphQLString),
        resolve: answer,
        description: 'Its place, for `after` and `before` in a list of the same order.',
      },
      node: { type: required(document), resolve: answer, description: 'The document.' },
    },
  })
  return new GraphQLObjectType<unknown, Context>({
    name: `${typeName}Connection`,
    description: `A page of a list of \`${key}\`.`,
    fields: () => ({
      edges: { type: listOf(edge), resolve: answer, description: 'The documents, each with its place.' },
      nodes: { type: listOf(document), resolve: answer, description: 'The documents.' },
      pageInfo: {
        type: required(shared.PageInfo),
        resolve: named('PageInfo'),
        description: 'Where the page begins and ends, and whether there is more.',
      },
      totalCount: {
        type: required(GraphQLInt),
        resolve: answer,
        description: 'How many documents all pages have. Counted only when asked for.',
      },
      aggregate: {
        type: required(types.aggregate.aggregate),
        resolve: answer,
        description: 'What is computed of the documents of all pages: as one group, which has no key.',
      },
    }),
  })
}

function eachOf<T>(items: Iterable<T>, entry: (item: T) => [string, FieldConfig]): Fields {
  return Object.fromEntries([...items].map(entry))
}
