import { GraphQLID, GraphQLNonNull } from 'graphql'
import type { Context } from '../../src/context.ts'
import { isDocumentId } from '../../src/documents/input.ts'
import { planConnection, planDocument } from '../../src/documents/plan.ts'
import { readDocuments } from '../../src/documents/read.ts'
import { changedField } from './change.ts'
import { pageArgs } from './group.ts'
import { mutationFields } from './mutations.ts'
import { modelOf } from './planned.ts'
import { required } from './shared.ts'
import type { CollectionTypes, Environment, FieldConfig, RootFields } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** The root fields of one collection: those whose right this class of callers can hold. */
export function rootFields(environment: Environment, visible: VisibleCollection, types: CollectionTypes): RootFields {
  const { rights, collection } = visible
  const { names } = collection
  const { id } = collection
  const reads = rights.has('read')
  return {
    query: reads
      ? [
          [names.one, oneField(id, types)],
          [names.many, manyField(id, types)],
        ]
      : [],
    mutation: mutationFields(visible, types),
    subscription: reads ? [[`${names.one}Changed`, changedField(environment, id, types)]] : [],
  }
}

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
