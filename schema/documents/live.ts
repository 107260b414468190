import {
  GraphQLBoolean,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLString,
} from 'graphql'
import type { Context } from '../../src/context.ts'
import type { LiveChange } from '../../src/documents/live/differences.ts'
import { type Live, liveDocuments } from '../../src/documents/live.ts'
import type { CollectionModel, ProjectModel } from '../../src/documents/model.ts'
import { capital } from '../../src/documents/names.ts'
import { type Plan, planDocument } from '../../src/documents/plan.ts'
import { selectedFields } from '../../src/documents/selection.ts'
import { pageArgs } from './page-args.ts'
import { listOf, required } from './shared.ts'
import type { CollectionTypes, Environment, FieldConfig } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** `PostLiveChange`. */
export function liveChangeType(
  { shared }: Environment,
  { collection: { key, typeName } }: VisibleCollection,
  document: GraphQLObjectType,
): GraphQLObjectType {
  return new GraphQLObjectType<LiveChange, Context>({
    name: `${typeName}LiveChange`,
    description: `What to do to a list of \`${key}\` so that it is as it should be.`,
    fields: {
      kind: { type: required(shared.LiveChangeKind), description: 'What to do.' },
      id: { type: required(GraphQLID), description: 'With which document.' },
      index: {
        type: GraphQLInt,
        description: 'Its place in the list from then on, 0 for the first; null if it is REMOVED.',
      },
      node: {
        type: document,
        description: 'The document as it is now; null if it is REMOVED.',
        resolve: ({ row }, _args, _ctx, info) => row?.data[placeOf(info)] ?? null,
      },
    },
  })
}

/** `PostsLive`. */
export function liveType(
  { collection: { key, names } }: VisibleCollection,
  document: GraphQLObjectType,
  liveChange: GraphQLObjectType,
): GraphQLObjectType {
  return new GraphQLObjectType<Live, Context>({
    name: `${capital(names.many)}Live`,
    description: `A list of \`${key}\`, or what has changed of it.`,
    fields: {
      cursor: { type: required(GraphQLString), description: 'Where to go on after this: give it as `after`.' },
      snapshot: {
        type: required(GraphQLBoolean),
        description: 'Whether `nodes` is the list, instead of all that was told before.',
        resolve: ({ snapshot }) => snapshot !== null,
      },
      nodes: {
        type: new GraphQLList(new GraphQLNonNull(document)),
        description: 'The whole list, in its order; null where only changes are told.',
        resolve: ({ snapshot }, _args, _ctx, info) => snapshot?.map(({ data }) => data[placeOf(info)]) ?? null,
      },
      changes: {
        type: listOf(liveChange),
        description: 'What has changed: to be done one after the other, in this order.',
      },
    },
  })
}

/** Where below the root field a selection of a document stands, without the places in lists. */
function placeOf({ path }: GraphQLResolveInfo): string {
  const keys: string[] = []
  for (let at: GraphQLResolveInfo['path'] | undefined = path; at; at = at.prev) {
    if (typeof at.key === 'string') keys.unshift(at.key)
  }
  return keys.slice(1).join('.')
}

/** The selections of documents in a live query, by `placeOf`. */
function plansOf(
  info: GraphQLResolveInfo,
  { live, liveChange }: CollectionTypes,
  model: ProjectModel,
  collection: CollectionModel,
): ReadonlyMap<string, Plan> {
  const plans = new Map<string, Plan>()
  for (const [key, fieldNodes] of selectedFields(info, info.fieldNodes, live.name)) {
    if (fieldNodes[0]?.name.value === 'nodes') plans.set(key, planDocument({ ...info, fieldNodes }, model, collection))
    if (fieldNodes[0]?.name.value !== 'changes') continue
    for (const [inner, nodes] of selectedFields(info, fieldNodes, liveChange.name)) {
      if (nodes[0]?.name.value !== 'node') continue
      plans.set(`${key}.${inner}`, planDocument({ ...info, fieldNodes: nodes }, model, collection))
    }
  }
  return plans
}

/** `postsLive`. */
export function liveField({ models }: Environment, collectionId: string, types: CollectionTypes): FieldConfig {
  const { where, orderBy, first } = pageArgs(types)
  return {
    type: required(types.live),
    description: `Documents of type ${types.document.name} that you may read, and then every change of that list: first all, then what to do to it. It is looked at again after each change of a document that the filter, the order or the selection looks at, of related ones too; after each change of your roles, and of the rights, rules and attributes of the collection.`,
    args: {
      ...(where ? { where } : {}),
      ...(orderBy ? { orderBy } : {}),
      ...(first ? { first } : {}),
      after: {
        type: GraphQLString,
        description:
          'The cursor of what you were told last. If nothing has happened since, that is said with no changes; otherwise the list comes anew.',
      },
    },
    subscribe: (_root, { after, ...args }, ctx: Context, info) => {
      const asked = {
        collectionId,
        args,
        plansOf: (model: ProjectModel, collection: CollectionModel) => plansOf(info, types, model, collection),
      }
      return liveDocuments(ctx, models, asked, after)
    },
    resolve: (payload) => payload,
  }
}
