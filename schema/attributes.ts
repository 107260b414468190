import { createAttribute, deleteAttribute, visibleAttributes } from '../src/modules/attributes/attributes.ts'
import { type ChangeCheck, checkAttributeChange, updateAttribute } from '../src/modules/attributes/update.ts'
import { parsePermission } from '../src/modules/permissions/roles.ts'
import { AttributeType, OnDelete, RelationKind, SchemaStatus } from './attribute-types.ts'
import { builder, type SchemaTypes } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { answerPermission, Permission, type PermissionAnswer, PermissionInput, readPermissions } from './permissions.ts'

const read = { audience: ['console', 'server'], scope: 'databases.read' } as const
const write = { audience: ['console', 'server'], scope: 'databases.write' } as const

const limits = 'a string for BIGINT, DECIMAL, DATE and DATETIME.'

/** A column that holds JSON text. */
function jsonField<Name extends 'default' | 'min' | 'max'>(name: Name) {
  return {
    type: 'JSON' as const,
    nullable: true as const,
    select: { [name]: true } as { [Key in Name]: true },
    resolve: (attribute: { [Key in Name]: string | null }): unknown => {
      const text = attribute[name]
      return text === null ? null : JSON.parse(text)
    },
  }
}

const Attribute = builder.prismaObject('Attribute', {
  description: 'A field of the documents of a collection.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the attribute.' }),
    collection: t.relation('collection', { description: 'The collection whose documents have it.' }),
    key: t.exposeString('key', { description: 'The name of the field.' }),
    type: t.expose('type', { type: AttributeType, description: 'What it holds.' }),
    list: t.exposeBoolean('list', { description: 'Whether it holds a list of such values.' }),
    required: t.exposeBoolean('required', { description: 'Whether every document has a value.' }),
    default: t.field({ ...jsonField('default'), description: 'The value of documents that are created without one.' }),
    size: t.exposeInt('size', { nullable: true, description: 'Greatest number of characters of a string.' }),
    min: t.field({ ...jsonField('min'), description: `The least value, of each item of a list; ${limits}` }),
    max: t.field({ ...jsonField('max'), description: `The greatest value, of each item of a list; ${limits}` }),
    pattern: t.exposeString('pattern', {
      nullable: true,
      description: 'The regular expression, as PostgreSQL reads it, that a text or each item of a list matches.',
    }),
    elements: t.exposeStringList('elements', { description: 'The values of an enum; empty for other types.' }),
    dimensions: t.exposeInt('dimensions', { nullable: true, description: 'How many numbers a vector has.' }),
    unique: t.exposeBoolean('unique', { description: 'Whether no two documents have the same value.' }),
    encrypted: t.exposeBoolean('encrypted', {
      description: 'Whether its values are stored encrypted. They cannot be searched or ordered.',
    }),
    computed: t.exposeString('computed', {
      nullable: true,
      description: 'The expression over other attributes of which it is computed; null for one that is set.',
    }),
    permissions: t.field({
      type: [Permission],
      nullable: true,
      description: 'Who may read and set it; null where everybody may who may read or change its document.',
      select: { permissions: true, restricted: true },
      resolve: ({ permissions, restricted }) =>
        restricted ? permissions.flatMap(parsePermission).map(answerPermission) : null,
    }),
    relation: t.expose('relation', {
      type: RelationKind,
      nullable: true,
      description: 'How many documents a relation joins; null for other types.',
    }),
    relatedCollection: t.relation('relatedCollection', {
      nullable: true,
      description: 'The collection that a relation points at.',
    }),
    reverseKey: t.exposeString('reverseKey', {
      nullable: true,
      description:
        'The field of `relatedCollection` that leads back to the documents which point at one; null for none.',
    }),
    onDelete: t.expose('onDelete', {
      type: OnDelete,
      nullable: true,
      description: 'What happens when the document that a relation points at is deleted.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What it is for, as it stands in the description of its field; null for nothing.',
    }),
    status: t.expose('status', { type: SchemaStatus, description: 'Whether it is there.' }),
    error: t.exposeString('statusReason', {
      nullable: true,
      description: 'Why it, or the last change of it, could not be made.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
  }),
})

export const AttributeList = connectionOf(Attribute, 'Attribute')

type Fields = PothosSchemaTypes.InputFieldBuilder<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>, 'InputObject'>

const keyOf = 'a small letter, then letters, digits and underscores, up to 40'

/** What can be asked for and changed alike. What is null counts as left out. */
const ruleFields = (t: Fields) => ({
  list: t.boolean({
    description: 'Whether it holds a list of up to 5,000 values; not for JSON, geometry, vectors and encrypted ones.',
  }),
  required: t.boolean({ description: 'Whether every document has a value; not, if left out.' }),
  default: t.field({
    type: 'JSON',
    description:
      'The value of documents that are created without one; not for what is required, a list, unique, encrypted or computed.',
  }),
  size: t.int({ description: 'Greatest number of characters of a string, up to 1,048,576. Strings need it.' }),
  min: t.field({
    type: 'JSON',
    description: 'The least value of a number, DATE or DATETIME; a string for BIGINT, DECIMAL, DATE and DATETIME.',
  }),
  max: t.field({ type: 'JSON', description: 'The greatest value, as `min`.' }),
  pattern: t.string({
    description:
      'A regular expression of PostgreSQL, up to 1,000 characters, that a text or each item of a list matches.',
  }),
  elements: t.stringList({
    description: 'The 1 to 100 values of an enum, names of up to 255 letters, digits and underscores. Enums need them.',
  }),
  unique: t.boolean({
    description: 'Whether no two documents have the same value: for texts with up to 640 characters, numbers, dates …',
  }),
  permissions: t.field({
    type: [PermissionInput],
    description:
      'Who may read (READ) and set (UPDATE) it, up to 100; if left out, everybody who may read or change its document. What is computed of one that has some needs its own.',
  }),
  reverseKey: t.string({
    description: 'The field of the related collection that leads back to the documents which point at one.',
  }),
  onDelete: t.field({
    type: OnDelete,
    description:
      'What happens when the document that a relation points at is deleted. Relations need it, but many to many, whose links go.',
  }),
  description: t.string({
    description:
      'What it is for, up to 1,000 characters. It stands first in the description of its field, for all who are shown that. Of one to many, that is the field at the other end.',
  }),
})

/** What is asked of an attribute, alone or with its collection. */
const attributeFields = (t: Fields) => ({
  key: t.string({ required: true, description: `The name of the field: ${keyOf}.` }),
  type: t.field({ type: AttributeType, required: true, description: 'What it holds.' }),
  ...ruleFields(t),
  dimensions: t.int({ description: 'How many numbers a vector has, up to 2,000. Vectors need it.' }),
  encrypted: t.boolean({
    description: 'Whether its values are stored encrypted: STRING, TEXT, EMAIL, URL and JSON that nobody searches.',
  }),
  computed: t.string({
    description:
      "An expression of up to 1,000 characters over other attributes, which it names up to 50 times, of which it is computed: `lower(trim(name)) || '-' || count`, `if(price > 0, round(price * 1.19, 2), null)`. It has + - * / % || = != < <= > >= and or not, and lower, upper, trim, length, left, right, replace, concat, coalesce, abs, floor, ceil, round, least, greatest, isNull, if.",
  }),
  relation: t.field({
    type: RelationKind,
    description: 'How many documents a relation joins; MANY_TO_ONE, if left out.',
  }),
  relatedCollectionId: t.id({
    description: 'The collection that a relation points at, `self` for its own. Relations need it.',
  }),
})

export const AttributeInput = builder.inputType('AttributeInput', {
  description: 'An attribute that a collection begins with.',
  fields: attributeFields,
})

const CreateAttributeInput = builder.inputType('CreateAttributeInput', {
  description: 'A new attribute, and the collection that gets it.',
  fields: (t) => ({
    collectionId: t.id({ required: true, description: 'Which collection it is for.' }),
    ...attributeFields(t),
  }),
})

const UpdateAttributeInput = builder.inputType('UpdateAttributeInput', {
  description: 'Changes of an attribute. What is left out stays; null takes a value away.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which attribute.' }),
    key: t.string({
      description: `Another name of the field: ${keyOf}. Indexes, rules and computed attributes follow it.`,
    }),
    type: t.field({
      type: AttributeType,
      description:
        'Another type: between texts, from texts to what they spell and back, between numbers, between DATE and DATETIME. No value is rounded or cut off: what does not fit keeps the type from being changed.',
    }),
    ...ruleFields(t),
  }),
})

/** An input as the modules have it, with permissions in small letters. */
export function readAttribute<Input extends { permissions?: readonly PermissionAnswer[] | null | undefined }>(
  input: Input,
) {
  const { permissions } = input
  return { ...input, permissions: permissions && readPermissions(permissions) }
}

const ChangeExample = builder.objectRef<ChangeCheck['examples'][number]>('AttributeChangeExample').implement({
  description: 'A document that stands against a change.',
  fields: (t) => ({
    documentId: t.exposeID('documentId', { description: 'Which document.' }),
    reason: t.exposeString('reason', { description: 'Why it stands against it.' }),
  }),
})

const AttributeChangeCheck = builder.objectRef<ChangeCheck>('AttributeChangeCheck').implement({
  description: 'What a change of an attribute would come to.',
  fields: (t) => ({
    possible: t.exposeBoolean('possible', { description: 'Whether no document stands against it now.' }),
    failing: t.exposeInt('failing', { description: 'How many documents stand against it now.' }),
    examples: t.expose('examples', {
      type: [ChangeExample],
      description: 'Up to 10 of the documents that stand against it, in the order of their ids.',
    }),
  }),
})

builder.queryField('checkAttributeChange', (t) =>
  t.field({
    type: AttributeChangeCheck,
    access: read,
    description:
      'Says what `updateAttribute` would come to, and changes nothing. Refused where `updateAttribute` would be refused at once.',
    args: { input: t.arg({ type: UpdateAttributeInput, required: true, description: 'What would be changed.' }) },
    resolve: (_root, { input }, ctx) => checkAttributeChange(ctx, readAttribute(input)),
  }),
)

builder.mutationFields((t) => ({
  createAttribute: t.prismaField({
    type: Attribute,
    access: write,
    description:
      'Adds an attribute to a collection, which may have 400. It is there once its `status` is AVAILABLE; `collectionChanged` tells.',
    args: { input: t.arg({ type: CreateAttributeInput, required: true }) },
    resolve: (_query, _root, { input }, ctx) => createAttribute(ctx, readAttribute(input)),
  }),
  updateAttribute: t.prismaField({
    type: Attribute,
    access: write,
    description:
      'Changes an attribute. Its name, description, default, permissions and reverse name change at once. What touches the documents is made in the background: until then its `status` is CHANGING and it is as it was, and so it stays, with an `error`, when documents stand against it. `checkAttributeChange` says so before.',
    args: { input: t.arg({ type: UpdateAttributeInput, required: true }) },
    resolve: (_query, _root, { input }, ctx) => updateAttribute(ctx, readAttribute(input)),
  }),
  deleteAttribute: t.id({
    access: write,
    description:
      'Deletes an attribute with its values. Refused while an index, a rule or a computed attribute uses it. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which attribute.' }) },
    resolve: (_root, { id }, ctx) => deleteAttribute(ctx, id),
  }),
}))

changedField({
  type: 'Attribute',
  noun: 'attributes',
  idKey: 'attributeId',
  access: read,
  description: 'What happens to attributes: above all, when their `status` changes.',
  node: (t) =>
    t.prismaField({
      type: Attribute,
      nullable: true,
      description: 'The attribute as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.attribute.findFirst({ ...query, where: { AND: [{ id }, visibleAttributes(ctx)] } }),
    }),
})
