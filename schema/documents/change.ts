import { GraphQLID, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql'
import type { Context } from '../../src/context.ts'
import { type DocumentChange, documentChanges } from '../../src/documents/changes.ts'
import { planDocument } from '../../src/documents/plan.ts'
import { answerImage } from '../../src/documents/read.ts'
import { parseWhere } from '../../src/documents/where.ts'
import { modelOf } from './planned.ts'
import { oneOf, required } from './shared.ts'
import type { CollectionTypes, Environment, FieldConfig } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** `PostChange`. */
export function changeType(
  { shared, models }: Environment,
  { collection }: VisibleCollection,
  document: GraphQLObjectType,
): GraphQLObjectType {
  const { id: collectionId, typeName, key } = collection
  return new GraphQLObjectType<DocumentChange, Context>({
    name: `${typeName}Change`,
    description: `A change of a document of \`${key}\`.`,
    fields: {
      cursor: { type: required(GraphQLString), description: 'Where to go on after this change: give it as `after`.' },
      kind: { type: required(shared.ChangeKind), description: 'What it means to you.' },
      id: { type: required(GraphQLID), description: 'Which document.' },
      node: {
        type: document,
        description:
          'The document as this change left it, its relations as they are now; null if it is DELETED or LEFT.',
        resolve: async ({ image, ctx }, _args, _ctx, info) => {
          if (!image) return null
          const { model, collection: planned } = modelOf(info, collectionId)
          const plan = planDocument(info, model, planned)
          return answerImage(ctx, await models.get(ctx.projectId), plan, image)
        },
      },
      changedFields: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLString))),
        description: 'Which fields have another value than before; empty if it was created or deleted.',
      },
      at: { type: required(shared.DateTime), description: 'When it happened.' },
    },
  })
}

/** `postChanged`. */
export function changedField(
  { models }: Environment,
  collectionId: string,
  { change, where, document }: CollectionTypes,
): FieldConfig {
  return {
    type: required(change),
    description: `Every change of ${oneOf(document.name)} that you may read, in order, each once.`,
    args: {
      where: {
        type: where,
        description: 'Of which ones: those that match before or after the change. It cannot look at related documents.',
      },
      after: {
        type: GraphQLString,
        description: 'The cursor of the last change that you have; from now on if left out.',
      },
    },
    subscribe: (_root, args, ctx: Context, info) => {
      const { model, collection } = modelOf(info, collectionId)
      const condition = args.where == null ? null : parseWhere(model, collection, args.where, ['where'])
      return documentChanges(ctx, models, collectionId, condition, args.after)
    },
    resolve: (payload) => payload,
  }
}
