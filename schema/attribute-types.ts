import { OnDelete as Rule, SchemaStatus as Status, AttributeType as Type } from '../prisma/client/enums.ts'
import { builder } from './builder.ts'

export const SchemaStatus = builder.enumType('SchemaStatus', {
  description: 'Where a change of the schema stands.',
  values: {
    [Status.PROCESSING]: { description: 'It is being made.' },
    [Status.AVAILABLE]: { description: 'It is there.' },
    [Status.CHANGING]: { description: 'It is there as it was, while a change of it is being made.' },
    [Status.FAILED]: { description: 'It could not be made: `error` says why. Delete it to free its key.' },
    [Status.DELETING]: { description: 'It is being deleted.' },
  },
})

export const AttributeType = builder.enumType('AttributeType', {
  description: 'What an attribute holds.',
  values: {
    [Type.STRING]: { description: 'Text of up to `size` characters.' },
    [Type.INTEGER]: { description: 'A whole number of 32 bits.' },
    [Type.BOOLEAN]: { description: 'True or false.' },
    [Type.DATETIME]: { description: 'A moment, to the millisecond.' },
    [Type.TEXT]: { description: 'Text of any length, up to what a document may have.' },
    [Type.BIGINT]: { description: 'A whole number of 64 bits.' },
    [Type.FLOAT]: { description: 'A number with a fraction, of 64 bits.' },
    [Type.DECIMAL]: { description: 'An exact decimal number of up to 100 digits.' },
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
    [Type.RELATION]: { description: 'One document of `relatedCollection`, or several: see `relation`.' },
  },
})

export const OnDelete = builder.enumType('OnDelete', {
  description: 'What happens to a document when the one it points at is deleted.',
  values: {
    [Rule.CASCADE]: { description: 'It is deleted too.' },
    [Rule.RESTRICT]: { description: 'The other one cannot be deleted.' },
    [Rule.SET_NULL]: { description: 'It points at nothing.' },
  },
})

export const RelationKind = builder.enumType('RelationKind', {
  description: 'How many documents a relation joins.',
  values: {
    ONE_TO_ONE: { description: 'Each document points at one, and no two at the same.' },
    MANY_TO_ONE: { description: 'Each document points at one.' },
    ONE_TO_MANY: {
      description: 'Asked for at the end that is pointed at: it is stored, and answered, as MANY_TO_ONE at the other.',
    },
    MANY_TO_MANY: { description: 'Each document is linked to any number.' },
  },
})
