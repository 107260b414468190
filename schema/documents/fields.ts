import { GraphQLID, GraphQLNonNull } from 'graphql'
import type { Context } from '../../src/context.ts'
import { deleteDocument } from '../../src/documents/delete.ts'
import { isDocumentId } from '../../src/documents/input.ts'
import { planConnection, planDocument } from '../../src/documents/plan.ts'
import { readDocuments } from '../../src/documents/read.ts'
import { createDocument, updateDocument } from '../../src/documents/write.ts'
import { changedField } from './change.ts'
import { pageArgs } from './group.ts'
import { modelOf } from './planned.ts'
import { required } from './shared.ts'
import type { CollectionTypes, Environment, FieldConfig, RootFields } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** The root fields of one collection: those whose right this class of callers can hold. */
export function rootFields(environment: Environment, visible: VisibleCollection, types: CollectionTypes): RootFields {
  const { rights, collection } = visible
  const { names, typeName } = collection
  const { id } = collection
  const reads = rights.has('read')
  return {
    query: reads
      ? [
          [names.one, oneField(id, types)],
          [names.many, manyField(id, types)],
        ]
      : [],
    mutation: [
      ...(rights.has('create') ? [[`create${typeName}`, createField(id, types)] as [string, FieldConfig]] : []),
      ...(rights.has('update') ? [[`update${typeName}`, updateField(id, types)] as [string, FieldConfig]] : []),
      ...(rights.has('delete') ? [[`delete${typeName}`, deleteField(id, types)] as [string, FieldConfig]] : []),
    ],
    subscription: reads ? [[`${names.one}Changed`, changedField(environment, id, types)]] : [],
  }
}

type Input = { input: Readonly<Record<string, unknown>> }

function oneField(collectionId: string, { document }: CollectionTypes): FieldConfig {
  return {
    type: document,
    description: `One ${document.name}; null where there is none, or none that you may read.`,
    args: { id: { type: new GraphQLNonNull(GraphQLID), description: 'Which.' } },
    resolve: async (_root, { id }: { id: string }, ctx: Context, info) => {
      if (!isDocumentId(id)) return null
      const { model, collection } = modelOf(info, collectionId)
      return readDocuments(ctx, model, { kind: 'document', plan: planDocument(info, model, collection), id })
    },
  }
}

function manyField(collectionId: string, types: CollectionTypes): FieldConfig {
  return {
    type: required(types.connection),
    description: `The documents of type ${types.document.name} that you may read.`,
    args: pageArgs(types),
    resolve: async (_root, args, ctx: Context, info) => {
      const { model, collection } = modelOf(info, collectionId)
      return readDocuments(ctx, model, {
        kind: 'connection',
        connection: planConnection(info, model, collection, args),
      })
    },
  }
}

function createField(collectionId: string, { document, createInput }: CollectionTypes): FieldConfig {
  return {
    type: required(document),
    description: `Creates a ${document.name}.`,
    args: { input: { type: new GraphQLNonNull(createInput), description: 'What it is to be.' } },
    resolve: async (_root, { input }: Input, ctx: Context, info) => {
      const { model, collection } = modelOf(info, collectionId)
      return createDocument(ctx, model, collection, input, planDocument(info, model, collection))
    },
  }
}

function updateField(collectionId: string, { document, updateInput }: CollectionTypes): FieldConfig {
  return {
    type: required(document),
    description: `Changes a ${document.name}.`,
    args: { input: { type: new GraphQLNonNull(updateInput), description: 'Which, and what of it.' } },
    resolve: async (_root, { input }: Input, ctx: Context, info) => {
      const { model, collection } = modelOf(info, collectionId)
      return updateDocument(ctx, model, collection, input, planDocument(info, model, collection))
    },
  }
}

function deleteField(collectionId: string, { document }: CollectionTypes): FieldConfig {
  return {
    type: required(GraphQLID),
    description: `Deletes a ${document.name}. Documents that point at it go along, lose the value or forbid it, as their attribute says.`,
    args: { id: { type: new GraphQLNonNull(GraphQLID), description: 'Which.' } },
    resolve: async (_root, { id }: { id: string }, ctx: Context, info) => {
      const { model, collection } = modelOf(info, collectionId)
      return deleteDocument(ctx, model, collection, id)
    },
  }
}
