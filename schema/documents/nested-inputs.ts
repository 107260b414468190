import { GraphQLID, type GraphQLInputFieldConfig, GraphQLInputObjectType, GraphQLList, GraphQLNonNull } from 'graphql'
import type { Neighbour } from '../../src/documents/model.ts'
import { nestedFields } from '../../src/documents/nested.ts'
import type { TypesOf } from './types.ts'
import { described } from './values.ts'
import type { VisibleCollection } from './visible.ts'

type Field = [string, GraphQLInputFieldConfig]

/** The fields of an input that create other documents with its own, or say which ones are at the other end. */
export function nestedInputs(
  { collection, settable, settableColumns }: VisibleCollection,
  types: TypesOf,
  links: 'links' | 'linkChanges',
): Record<string, GraphQLInputFieldConfig> {
  const shown = new Set(settable.map(({ key }) => key))
  const taken = new Set(settableColumns.map(({ key }) => key))
  const fields = [...nestedFields(collection)].flatMap(([name, { kind, neighbour }]): Field[] => {
    if (!shown.has(neighbour.key) || taken.has(name)) return []
    const other = types(neighbour.collectionId)
    if (kind === 'many') {
      const description = described(neighbour, describeMany(neighbour))
      return [[name, { type: other[links], description }]]
    }
    if (kind === 'one') return [[name, { type: GraphQLID, description: pointing }]]
    return other.newInput ? [[name, { type: other.newInput, description: describeNew(neighbour) }]] : []
  })
  return Object.fromEntries(fields)
}

const pointing =
  'The id of the document that is to point at it, which you must be able to change. Another one that did so no longer does.'

function describeMany({ join: { kind } }: Neighbour): string {
  return kind === 'link'
    ? 'The documents that it is linked with. It is changed by this, they are not.'
    : 'The documents that point at it. They are changed by this, it is not.'
}

function describeNew({ key, join: { kind } }: Neighbour): string {
  return kind === 'to'
    ? `Instead of \`${key}\`: a new document that it points at.`
    : `Instead of \`${key}\`: a new document that points at it, and does not name it itself.`
}

const ids = new GraphQLList(new GraphQLNonNull(GraphQLID))

/** `PostLinks`, and with `changes` `PostLinkChanges`: what becomes of documents at the other end of a relation to many. */
export function linksType(
  { collection: { typeName, key }, rights }: VisibleCollection,
  createInput: GraphQLInputObjectType,
  changes: boolean,
): GraphQLInputObjectType {
  const create = {
    type: new GraphQLList(new GraphQLNonNull(createInput)),
    description: 'New ones, which do not name the document that they stand in: 10 levels deep at most.',
  }
  return new GraphQLInputObjectType({
    name: changes ? `${typeName}LinkChanges` : `${typeName}Links`,
    description: `What is to become of documents of \`${key}\` at the other end of a relation. One call writes at most 10,000 documents and links.`,
    fields: () => ({
      ...(rights.has('create') ? { create } : {}),
      connect: { type: ids, description: 'Ids of those that join, all of which you must be able to read.' },
      ...(changes
        ? {
            disconnect: { type: ids, description: 'Ids of those that part. What is not joined stays so.' },
            set: {
              type: ids,
              description:
                'Ids of all that are joined from here on, but for what is created: the others that you may read part.',
            },
          }
        : {}),
    }),
  })
}
