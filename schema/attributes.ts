import { OnDelete as Rule, SchemaStatus as Status, AttributeType as Type } from '../prisma/client/enums.ts'
import { createAttribute, deleteAttribute } from '../src/modules/attributes/attributes.ts'
import { builder, type SchemaTypes } from './builder.ts'
import { connectionOf } from './connections.ts'

const write = { audience: ['console', 'server'], scope: 'databases.write' } as const

export const SchemaStatus = builder.enumType('SchemaStatus', {
  description: 'Where a change of the schema stands.',
  values: {
    [Status.PROCESSING]: { description: 'It is being made.' },
    [Status.AVAILABLE]: { description: 'It is there.' },
    [Status.CHANGING]: { description: 'It is there as it was, while a change of it is being made.' },
    [Status.FAILED]: { description: 'It could not be made: `statusReason` says why. Delete it to free its key.' },
    [Status.DELETING]: { description: 'It is being deleted.' },
  },
})

const AttributeType = builder.enumType('AttributeType', {
  description: 'What an attribute holds.',
  values: {
    [Type.STRING]: { description: 'Text of up to `size` characters.' },
    [Type.INTEGER]: { description: 'A whole number of 32 bits.' },
    [Type.BOOLEAN]: { description: 'True or false.' },
    [Type.DATETIME]: { description: 'A moment, to the millisecond.' },
    [Type.TEXT]: { description: 'Text of any length up to 1,048,576 characters.' },
    [Type.BIGINT]: { description: 'A whole number of 64 bits.' },
    [Type.FLOAT]: { description: 'A number with a fraction, of 64 bits.' },
    [Type.DECIMAL]: { description: 'An exact decimal number.' },
    [Type.DATE]: { description: 'A day.' },
    [Type.EMAIL]: { description: 'An email address.' },
    [Type.URL]: { description: 'A web address.' },
    [Type.IP]: { description: 'An address of the internet, version 4 or 6.' },
    [Type.UUID]: { description: 'A UUID.' },
    [Type.ENUM]: { description: 'One of `elements`.' },
    [Type.JSON]: { description: 'Any JSON.' },
    [Type.POINT]: { description: 'A place: a GeoJSON Point.' },
    [Type.LINE]: { description: 'A way: a GeoJSON LineString.' },
    [Type.POLYGON]: { description: 'An area: a GeoJSON Polygon without holes.' },
    [Type.VECTOR]: { description: 'A vector of `dimensions` numbers.' },
    [Type.RELATION]: { description: 'One document of `relatedCollection`.' },
  },
})

const OnDelete = builder.enumType('OnDelete', {
  description: 'What happens to a document when the one it points at is deleted.',
  values: {
    [Rule.CASCADE]: { description: 'It is deleted too.' },
    [Rule.RESTRICT]: { description: 'The other one cannot be deleted.' },
    [Rule.SET_NULL]: { description: 'It points at nothing.' },
  },
})

const Attribute = builder.prismaObject('Attribute', {
  description: 'A field of the documents of a collection.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the attribute.' }),
    key: t.exposeString('key', { description: 'The name of the field.' }),
    type: t.expose('type', { type: AttributeType, description: 'What it holds.' }),
    required: t.exposeBoolean('required', { description: 'Whether every document has a value.' }),
    default: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value of documents that are created without one.',
      select: { default: true },
      resolve: (attribute) => (attribute.default === null ? null : JSON.parse(attribute.default)),
    }),
    size: t.exposeInt('size', { nullable: true, description: 'Greatest number of characters of a string.' }),
    relatedCollection: t.relation('relatedCollection', {
      nullable: true,
      description: 'The collection that a relation points at.',
    }),
    reverseKey: t.exposeString('reverseKey', {
      nullable: true,
      description: 'The field of `relatedCollection` that lists the documents which point at one; null for none.',
    }),
    onDelete: t.expose('onDelete', {
      type: OnDelete,
      nullable: true,
      description: 'What happens when the document that a relation points at is deleted.',
    }),
    status: t.expose('status', { type: SchemaStatus, description: 'Whether it is there.' }),
    statusReason: t.exposeString('statusReason', { nullable: true, description: 'Why it could not be made.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
  }),
})

export const AttributeList = connectionOf(Attribute, 'Attribute')

type Fields = PothosSchemaTypes.InputFieldBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, 'InputObject'>

/** What is asked of an attribute, alone or with its collection. */
const attributeFields = (t: Fields) => ({
  key: t.string({
    required: true,
    description: 'The name of the field: a small letter, then letters, digits and underscores, up to 40.',
  }),
  type: t.field({ type: AttributeType, required: true, description: 'What it holds.' }),
  required: t.boolean({ description: 'Whether every document has a value; not, if left out.' }),
  default: t.field({
    type: 'JSON',
    description: 'The value of documents that are created without one, for an attribute that is not required.',
  }),
  size: t.int({ description: 'Greatest number of characters of a string, up to 1,048,576. Strings need it.' }),
  relatedCollectionId: t.id({ description: 'The collection that a relation points at. Relations need it.' }),
  reverseKey: t.string({
    description: 'The field of that collection that lists the documents which point at one; none, if left out.',
  }),
  onDelete: t.field({
    type: OnDelete,
    description: 'What happens when the document that a relation points at is deleted. Relations need it.',
  }),
})

export const AttributeInput = builder.inputType('AttributeInput', {
  description: 'An attribute that a collection begins with.',
  fields: attributeFields,
})

const CreateAttributeInput = builder.inputType('CreateAttributeInput', {
  description: 'What is asked for.',
  fields: (t) => ({
    collectionId: t.id({ required: true, description: 'Which collection it is for.' }),
    ...attributeFields(t),
  }),
})

builder.mutationFields((t) => ({
  createAttribute: t.prismaField({
    type: Attribute,
    access: write,
    description:
      'Adds an attribute to a collection, which may have 400. It is there once its `status` is AVAILABLE; `collectionChanged` tells.',
    args: { input: t.arg({ type: CreateAttributeInput, required: true, description: 'What is asked for.' }) },
    resolve: (_query, _root, { input }, ctx) => createAttribute(ctx, input),
  }),
  deleteAttribute: t.id({
    access: write,
    description: 'Deletes an attribute with its values. Refused while an index uses it. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which.' }) },
    resolve: (_root, { id }, ctx) => deleteAttribute(ctx, id),
  }),
}))
