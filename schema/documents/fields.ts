import { GraphQLID, GraphQLNonNull, type GraphQLResolveInfo } from 'graphql'
import type { Context } from '../../src/context.ts'
import { planAggregate } from '../../src/documents/aggregate.ts'
import { isDocumentId } from '../../src/documents/input.ts'
import { maxAgeOf } from '../../src/documents/keeping.ts'
import type { ProjectModel } from '../../src/documents/model.ts'
import { planConnection, planDocument } from '../../src/documents/plan.ts'
import { readDocuments } from '../../src/documents/read.ts'
import { type RootPlanner, rootExtensions } from '../../src/documents/root.ts'
import { whenGiven } from '../../src/documents/slots.ts'
import type { Root } from '../../src/documents/sql.ts'
import { lazily } from '../../src/lib/lazily.ts'
import { aggregateArgs } from './aggregate.ts'
import { changedField } from './change.ts'
import { liveField } from './live.ts'
import { mutationFields } from './mutations.ts'
import { pageArgs } from './page-args.ts'
import { modelOf } from './planned.ts'
import { listOf, required } from './shared.ts'
import type { CollectionTypes, Environment, FieldConfig, RootFields, RootName } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** The root fields of one collection, made when they are looked at: those whose right this class of callers can hold. */
export function rootFields(environment: Environment, visible: VisibleCollection, types: CollectionTypes): RootFields {
  const { id, names } = visible.collection
  return lazily<RootFields>({
    query: () =>
      hasFields(visible, 'query')
        ? [
            [names.one, oneField(id, types)],
            [names.many, manyField(id, types)],
            [`${names.many}Aggregate`, aggregateField(id, types)],
          ]
        : [],
    mutation: () => mutationFields(visible, types),
    subscription: () =>
      hasFields(visible, 'subscription')
        ? [
            [`${names.one}Changed`, changedField(environment, id, types)],
            [`${names.many}Live`, liveField(environment, id, types)],
          ]
        : [],
  })
}

/** Whether a collection has root fields for this class of callers. */
export function hasFields({ rights }: VisibleCollection, root: RootName): boolean {
  if (root !== 'mutation') return rights.has('read')
  return rights.has('create') || rights.has('update') || rights.has('delete')
}

function oneField(collectionId: string, { document }: CollectionTypes): FieldConfig {
  const plan: RootPlanner = (info, { id }) => {
    const { model, collection } = modelOf(info, collectionId)
    // What cannot be an id names nothing, and never reaches the database.
    const known = whenGiven(id, (given) => (isDocumentId(given) ? given : null))
    return { kind: 'document', plan: planDocument(info, model, collection), id: known }
  }
  return {
    type: document,
    description: `One ${document.name}; null where there is none, or none that you may read.`,
    args: { id: { type: new GraphQLNonNull(GraphQLID), description: `Which ${document.name}.` } },
    extensions: rootExtensions(plan),
    resolve: (_root, args, ctx: Context, info) => read(ctx, info, plan(info, args)),
  }
}

function manyField(collectionId: string, types: CollectionTypes): FieldConfig {
  const plan: RootPlanner = (info, args) => {
    const { model, collection } = modelOf(info, collectionId)
    return { kind: 'connection', connection: planConnection(info, model, collection, args) }
  }
  return {
    type: required(types.connection),
    description: `The documents of type ${types.document.name} that you may read.`,
    args: pageArgs(types),
    extensions: rootExtensions(plan),
    resolve: (_root, args, ctx: Context, info) => read(ctx, info, plan(info, args)),
  }
}

function aggregateField(collectionId: string, { aggregate, where, document }: CollectionTypes): FieldConfig {
  const plan: RootPlanner = (info, args) => {
    const { model, collection } = modelOf(info, collectionId)
    return planAggregate(info, model, collection, args)
  }
  return {
    type: listOf(aggregate.aggregate),
    description: `What the documents of type ${document.name} that you may read come to, in groups.`,
    args: aggregateArgs(aggregate, where),
    extensions: rootExtensions(plan),
    resolve: (_root, args, ctx: Context, info) => read(ctx, info, plan(info, args)),
  }
}

async function read(ctx: Context, info: GraphQLResolveInfo, root: Root): Promise<unknown> {
  if (root.kind === 'document' && root.id === null) return null
  const maxAge = maxAgeOf(info.operation, info.variableValues)
  return readDocuments(ctx, info.schema.extensions.model as ProjectModel, root, maxAge)
}
