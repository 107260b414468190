import {
  type GraphQLFieldConfigArgumentMap,
  GraphQLID,
  GraphQLInt,
  GraphQLNonNull,
  type GraphQLResolveInfo,
} from 'graphql'
import type { Context } from '../../src/context.ts'
import { deleteDocuments, updateDocuments } from '../../src/documents/bulk.ts'
import { deleteDocument } from '../../src/documents/delete.ts'
import type { Input } from '../../src/documents/input.ts'
import { planDocument } from '../../src/documents/plan.ts'
import { createExtensions, type WriteTarget } from '../../src/documents/root.ts'
import { upsertDocument } from '../../src/documents/upsert.ts'
import { type By, upsertDocuments } from '../../src/documents/upserts.ts'
import { createDocument, createDocuments, updateDocument } from '../../src/documents/write.ts'
import type { Place, Terms } from '../../src/documents/writing.ts'
import { changeField } from './once.ts'
import { modelOf } from './planned.ts'
import { requireSaid } from './said.ts'
import { listOf, oneOf, required } from './shared.ts'
import type { CollectionTypes, FieldConfig } from './types.ts'
import type { VisibleCollection } from './visible.ts'

type Entry = [string, FieldConfig]

/** The mutations of one collection: those whose right this class of callers can hold. */
export function mutationFields({ rights, collection }: VisibleCollection, types: CollectionTypes): Entry[] {
  const { id, typeName, names } = collection
  const plural = names.many.charAt(0).toUpperCase() + names.many.slice(1)
  const both = (kind: WriteTarget['kind'], one: FieldConfig, many: FieldConfig): Entry[] => [
    [`${kind}${typeName}`, changeField({ collectionId: id, kind }, one)],
    [`${kind}${plural}`, changeField({ collectionId: id, kind }, many)],
  ]
  const mayUpsert = rights.has('create') && rights.has('update')
  return [
    ...(rights.has('create') ? both('create', createField(id, types), createManyField(id, types)) : []),
    ...(rights.has('update') ? both('update', updateField(id, types), updateManyField(id, types)) : []),
    ...(mayUpsert ? both('upsert', upsertField(id, types), upsertManyField(id, types)) : []),
    ...(rights.has('delete') ? both('delete', deleteField(id, types), deleteManyField(id, types)) : []),
  ]
}

function placeOf(info: GraphQLResolveInfo, collectionId: string): Place {
  const { model, collection } = modelOf(info, collectionId)
  return { model, collection, plan: planDocument(info, model, collection) }
}

const ifVersion: GraphQLFieldConfigArgumentMap = {
  ifVersion: { type: GraphQLInt, description: 'Only if the document has this version: CONFLICT if it has another.' },
}

function applyArgument(
  { operations }: CollectionTypes,
  description = 'What is made of the values as they are: two such changes at once both count.',
): GraphQLFieldConfigArgumentMap {
  if (!operations) return {}
  return { apply: { type: operations, description } }
}

function createField(collectionId: string, { document, createInput }: CollectionTypes): FieldConfig {
  return {
    type: required(document),
    description: `Creates ${oneOf(document.name)}.`,
    args: { input: { type: new GraphQLNonNull(createInput), description: 'What it is to be.' } },
    extensions: createExtensions({ collectionId, isList: false }),
    resolve: async (_root, { input }: { input: Input }, ctx: Context, info) =>
      createDocument(ctx, placeOf(info, collectionId), input),
  }
}

function createManyField(collectionId: string, { document, createInput }: CollectionTypes): FieldConfig {
  return {
    type: listOf(document),
    description: `Creates documents of type ${document.name}, all or none: 10,000 at most. Answers them in the order of the inputs.`,
    args: { inputs: { type: listOf(createInput), description: 'What they are to be.' } },
    extensions: createExtensions({ collectionId, isList: true }),
    resolve: async (_root, { inputs }: { inputs: Input[] }, ctx: Context, info) =>
      createDocuments(ctx, placeOf(info, collectionId), inputs),
  }
}

function updateField(collectionId: string, types: CollectionTypes): FieldConfig {
  const { document, updateInput } = types
  return {
    type: required(document),
    description: `Changes ${oneOf(document.name)}.`,
    args: {
      input: { type: new GraphQLNonNull(updateInput), description: 'Which, and what of it.' },
      ...applyArgument(types),
      ...ifVersion,
    },
    resolve: async (_root, { input, ...terms }: { input: Input } & Terms, ctx: Context, info) =>
      updateDocument(ctx, placeOf(info, collectionId), input, terms),
  }
}

const whichOnes = 'Which ones: all, for `{}`. A condition in it that says nothing, as `{ id: {} }`, is refused.'

function updateManyField(collectionId: string, types: CollectionTypes): FieldConfig {
  const { document, where, setInput, bulkResult } = types
  return {
    type: required(bulkResult),
    description: `Changes all documents of type ${document.name} that match and that you may read: 10,000 at most, all or none. Refused if you may not change one of them.`,
    args: {
      where: { type: new GraphQLNonNull(where), description: whichOnes },
      ...(setInput ? { set: { type: setInput, description: 'What is set in each.' } } : {}),
      ...applyArgument(types),
    },
    resolve: async (_root, { where, set, ...terms }: { where: unknown; set?: Input | null } & Terms, ctx, info) => {
      requireSaid(where, info)
      return updateDocuments(ctx, { ...modelOf(info, collectionId), where }, set ?? {}, terms)
    },
  }
}

function upsertField(collectionId: string, types: CollectionTypes): FieldConfig {
  const { document, upsertInput } = types
  return {
    type: required(document),
    description: `Changes the ${document.name} of this id, or creates it where there is none: the first needs the right to change it, the second the right to create. CONFLICT if there is one that you may not read.`,
    args: {
      input: { type: new GraphQLNonNull(upsertInput), description: 'Which, and what it is to be.' },
      ...applyArgument(types, 'What is made of the values of one that is there; a new one has only what is given.'),
      ...onArgument(types),
      ifVersion: { type: GraphQLInt, description: 'If it is there, only if it has this version: CONFLICT if another.' },
    },
    resolve: async (_root, { input, on, ...terms }: { input: Input; on?: By } & Terms, ctx: Context, info) => {
      const place = placeOf(info, collectionId)
      if (!on || on === 'id') return upsertDocument(ctx, place, input, terms)
      const [document] = await upsertDocuments(ctx, place, [input], { ...terms, by: on }, () => ['input'])
      return document
    },
  }
}

function upsertManyField(collectionId: string, types: CollectionTypes): FieldConfig {
  const { document, upsertInput } = types
  return {
    type: listOf(document),
    description: `Changes the documents of type ${document.name} that are there, and creates the others, all or none: 10,000 at most. Answers them in the order of the inputs. CONFLICT if there is one that you may not read.`,
    args: {
      inputs: { type: listOf(upsertInput), description: 'Which, and what they are to be.' },
      ...onArgument(types),
    },
    resolve: async (_root, { inputs, on }: { inputs: Input[]; on?: By }, ctx: Context, info) =>
      upsertDocuments(ctx, placeOf(info, collectionId), inputs, { by: on ?? null }, (i) => ['inputs', `${i}`]),
  }
}

function onArgument({ uniqueKey }: CollectionTypes): GraphQLFieldConfigArgumentMap {
  if (!uniqueKey) return {}
  return {
    on: { type: uniqueKey, description: 'By what it is found, if not by its id: a new one may have any id then.' },
  }
}

function deleteField(collectionId: string, { document }: CollectionTypes): FieldConfig {
  return {
    type: required(GraphQLID),
    description: `Deletes ${oneOf(document.name)}. Documents that point at it go along, lose the value or forbid it, as their attribute says; what is linked with it is no longer, without an event of its own.`,
    args: { id: { type: new GraphQLNonNull(GraphQLID), description: `Which ${document.name}.` }, ...ifVersion },
    resolve: async (_root, { id, ...terms }: { id: string } & Terms, ctx: Context, info) =>
      deleteDocument(ctx, modelOf(info, collectionId), id, terms),
  }
}

function deleteManyField(collectionId: string, { document, where, bulkResult }: CollectionTypes): FieldConfig {
  return {
    type: required(bulkResult),
    description: `Deletes all documents of type ${document.name} that match and that you may read: 10,000 at most, all or none. Refused if you may not delete one of them.`,
    args: { where: { type: new GraphQLNonNull(where), description: whichOnes } },
    resolve: async (_root, { where, ...terms }: { where: unknown } & Terms, ctx: Context, info) => {
      requireSaid(where, info)
      return deleteDocuments(ctx, { ...modelOf(info, collectionId), where }, terms)
    },
  }
}
