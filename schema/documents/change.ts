import { GraphQLID, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql'
import type { Context } from '../../src/context.ts'
import { planChange } from '../../src/documents/change-plan.ts'
import { type DocumentChange, documentChanges } from '../../src/documents/changes.ts'
import { planDocument } from '../../src/documents/plan.ts'
import { planNow } from '../../src/documents/plan-now.ts'
import { answerImage } from '../../src/documents/read.ts'
import type { Info } from '../../src/documents/selection.ts'
import { feedExtensions } from '../../src/documents/subscribe-operation.ts'
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
          const now = await models.get(ctx.projectId)
          return answerImage(ctx, now, planNow(now, planDocument(info, model, planned)), image)
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
  { models, fanout }: Environment,
  collectionId: string,
  { change, where, document }: CollectionTypes,
): FieldConfig {
  const plan = (info: Info) => {
    const { model, collection } = modelOf(info, collectionId)
    return planChange(info, model, collection, change, document)
  }
  return {
    type: required(change),
    extensions: feedExtensions({ collectionId, plan, fanout }),
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
