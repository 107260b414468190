import { GraphQLID, GraphQLNonNull } from 'graphql'
import type { Context } from '../../src/context.ts'
import { deleteDocument } from '../../src/documents/delete.ts'
import { planDocument } from '../../src/documents/plan.ts'
import { createDocument, updateDocument } from '../../src/documents/write.ts'
import { modelOf } from './planned.ts'
import { required } from './shared.ts'
import type { CollectionTypes, FieldConfig } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** The mutations of one collection: those whose right this class of callers can hold. */
export function mutationFields(
  { rights, collection }: VisibleCollection,
  types: CollectionTypes,
): [string, FieldConfig][] {
  const { id, typeName } = collection
  return [
    ...(rights.has('create') ? [[`create${typeName}`, createField(id, types)] as [string, FieldConfig]] : []),
    ...(rights.has('update') ? [[`update${typeName}`, updateField(id, types)] as [string, FieldConfig]] : []),
    ...(rights.has('delete') ? [[`delete${typeName}`, deleteField(id, types)] as [string, FieldConfig]] : []),
  ]
}

type Input = { input: Readonly<Record<string, unknown>> }

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
