import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  type GraphQLScalarType,
  GraphQLString,
} from 'graphql'
import { languages } from '../../src/documents/search.ts'
import type { ColumnType } from '../../src/documents/types.ts'
import { jsonFields, lineFields, notLive, pointFields, polygonFields } from './filters-opaque.ts'

type Item = GraphQLNamedType & GraphQLInputType
type Fields = GraphQLInputFieldConfigMap

/** What the filters of one type of attribute are made of. */
type Kind = { name: string; noun: string; fields: Fields; listOf: Item | null }

export type ScalarType = Exclude<ColumnType, 'ENUM'>
export type Values = Readonly<Record<ScalarType, GraphQLScalarType>>

/** The filters on values of each type, and on lists of them where there are lists. */
export type FilterTypes = {
  filters: Readonly<Record<ScalarType, GraphQLInputObjectType>>
  listFilters: Readonly<Partial<Record<ColumnType, GraphQLInputObjectType>>>
  /** Inputs that filters are made of. */
  parts: Parts
}

/** `known` gives the type of that name that the API has already, or the one it is given. */
export function createFilterTypes(
  values: Values,
  measure: GraphQLEnumType,
  known: <T extends GraphQLInputObjectType | GraphQLEnumType>(type: T) => T,
): FilterTypes {
  const parts = partTypes(values, measure, known)
  const kinds = kindsOf(values, parts)
  const filters: Partial<Record<ScalarType, GraphQLInputObjectType>> = {}
  const listFilters: Partial<Record<ColumnType, GraphQLInputObjectType>> = {}
  for (const [type, { name, noun, fields, listOf }] of Object.entries(kinds) as [ScalarType, Kind][]) {
    const twin = Object.values(filters).find((one) => one.name === `${name}Filter`)
    filters[type] = twin ?? known(filter(`${name}Filter`, noun, { ...isNull, ...fields }))
    if (listOf === null) continue
    const listTwin = Object.values(listFilters).find((one) => one.name === `${name}ListFilter`)
    listFilters[type] = listTwin ?? known(listFilter(name, listOf, parts.length))
  }
  return { filters: filters as FilterTypes['filters'], listFilters, parts }
}

/** The filters on an enum, which is its collection's own. */
export function enumFilters(type: GraphQLEnumType, { parts }: Pick<FilterTypes, 'parts'>) {
  return {
    filter: filter(`${type.name}Filter`, `a \`${type.name}\``, { ...equality(type), ...isNull }),
    listFilter: listFilter(type.name, type, parts.length),
  }
}

function partTypes(
  values: Values,
  measure: GraphQLEnumType,
  known: <T extends GraphQLInputObjectType | GraphQLEnumType>(type: T) => T,
) {
  const language = known(searchLanguage)
  const input = (name: string, description: string, fields: Fields) =>
    known(new GraphQLInputObjectType({ name, description, fields }))
  return {
    language,
    measure,
    length: input('LengthFilter', 'How many items a list has: all that is given must hold.', bounds(GraphQLInt)),
    search: input('SearchFilter', 'Words to look for in a text.', {
      words: {
        type: new GraphQLNonNull(GraphQLString),
        description:
          'As one types them into a search box, at most 1,000 characters: `cat "big dog" -mouse` wants a cat and a big dog and no mouse, and `or` between two wants one of them.',
      },
      language: {
        type: language,
        description:
          "By whose rules words are taken for forms of one another: that of the attribute's full-text index if left out, SIMPLE without one. Only this language can use the index.",
      },
    }),
    near: input('NearFilter', 'A circle on the earth.', {
      point: { type: new GraphQLNonNull(values.POINT), description: 'Its middle.' },
      metres: { type: new GraphQLNonNull(GraphQLFloat), description: 'How far from there, 0 or more.' },
    }),
    distance: input(
      'DistanceFilter',
      'The metres between two places, on the earth taken as a ball (haversine). With `lt` or `lte`, only places within the longitudes -180 to 180 and latitudes -90 to 90 are found.',
      {
        from: { type: new GraphQLNonNull(values.POINT), description: 'From where.' },
        ...bounds(GraphQLFloat),
      },
    ),
    vectorDistance: input('VectorDistanceFilter', 'How far a vector is from another one.', {
      from: { type: new GraphQLNonNull(values.VECTOR), description: 'From which, of as many numbers.' },
      measure: { type: measure, defaultValue: 'EUCLIDEAN', description: 'How it is measured.' },
      ...bounds(GraphQLFloat),
    }),
  }
}

export type Parts = ReturnType<typeof partTypes>

function kindsOf(values: Values, parts: Parts): Record<ScalarType, Kind> {
  const kind = (name: string, noun: string, type: Item, by: string, more: Fields = {}): Kind => {
    return { name, noun, fields: { ...ordered(type, by), ...more }, listOf: type }
  }
  const texts = textParts(parts)
  const string = kind('String', 'a text', GraphQLString, 'by code point', texts)
  const opaque = (name: string, noun: string, fields: Fields): Kind => ({ name, noun, fields, listOf: null })
  return {
    ID: { ...kind('ID', 'an id', values.ID, 'by code point'), listOf: null },
    STRING: string,
    TEXT: string,
    INTEGER: kind('Int', 'a whole number', GraphQLInt, 'by size'),
    BIGINT: kind('BigInt', 'a whole number of 64 bits', values.BIGINT, 'by size'),
    FLOAT: kind('Float', 'a number', GraphQLFloat, 'by size'),
    DECIMAL: kind('Decimal', 'a decimal number', values.DECIMAL, 'by size'),
    BOOLEAN: { name: 'Boolean', noun: 'a truth value', fields: sameness(GraphQLBoolean), listOf: GraphQLBoolean },
    DATETIME: kind('DateTime', 'a moment', values.DATETIME, 'by time'),
    DATE: kind('Date', 'a day', values.DATE, 'by time'),
    EMAIL: kind('Email', 'an email address', values.EMAIL, 'by code point', texts),
    URL: kind('URL', 'a web address', values.URL, 'by code point', texts),
    IP: kind('IP', 'an address', values.IP, 'version 4 first, then by number'),
    UUID: kind('UUID', 'a UUID', values.UUID, 'by its text'),
    JSON: opaque('JSON', 'JSON, or on what lies at `path` in it', jsonFields(values.JSON)),
    POINT: opaque('Point', 'a place', pointFields(values, parts)),
    LINE: opaque('Line', 'a way', lineFields(values)),
    POLYGON: opaque('Polygon', 'an area', polygonFields(values)),
    VECTOR: opaque('Vector', 'a vector', {
      distance: { type: parts.vectorDistance, description: `How far it is from another one. ${notLive}` },
    }),
  }
}

const searchLanguage = new GraphQLEnumType({
  name: 'SearchLanguage',
  description: 'A language whose words a search knows.',
  values: Object.fromEntries(
    languages.map((language) => {
      const name = `${language.charAt(0).toUpperCase()}${language.slice(1)}`
      const description = language === 'simple' ? 'No language: words are taken as they are.' : `${name}.`
      return [language.toUpperCase(), { value: language, description }]
    }),
  ),
})

function filter(name: string, noun: string, fields: Fields): GraphQLInputObjectType {
  return new GraphQLInputObjectType({
    name,
    description: `Conditions on ${noun}: all that are given must hold.`,
    fields,
  })
}

const isNull: Fields = { isNull: { type: GraphQLBoolean, description: 'Whether there is no value.' } }

function bounds(type: GraphQLInputType): Fields {
  return {
    ...(type === GraphQLInt && { eq: { type, description: 'Is this.' } }),
    gt: { type, description: 'Is greater.' },
    gte: { type, description: 'Is greater or the same.' },
    lt: { type, description: 'Is less.' },
    lte: { type, description: 'Is less or the same.' },
  }
}

function sameness(type: GraphQLInputType): Fields {
  return {
    eq: { type, description: 'Is this.' },
    ne: { type, description: 'Is not this. Null is not.' },
  }
}

function equality(type: Item): Fields {
  const list = new GraphQLList(new GraphQLNonNull(type))
  return {
    ...sameness(type),
    in: { type: list, description: 'Is one of these, 5,000 at most.' },
    notIn: { type: list, description: 'Is none of these, 5,000 at most. Null is none of them.' },
  }
}

function ordered(type: Item, order: string): Fields {
  const pair = new GraphQLList(new GraphQLNonNull(type))
  return {
    ...equality(type),
    gt: { type, description: `Is greater, ${order}.` },
    gte: { type, description: `Is greater or the same, ${order}.` },
    lt: { type, description: `Is less, ${order}.` },
    lte: { type, description: `Is less or the same, ${order}.` },
    between: { type: pair, description: `Is the first or the second of these two or lies between them, ${order}.` },
    notBetween: {
      type: pair,
      description: `Does not lie between these two, ${order}, nor is one of them. Null does not.`,
    },
  }
}

function textParts({ search }: Parts): Fields {
  const text = (description: string) => ({ type: GraphQLString, description })
  return {
    contains: text('Has this in it. Case matters.'),
    notContains: text('Does not have this in it. Case matters. Null does not.'),
    startsWith: text('Begins with this. Case matters.'),
    notStartsWith: text('Does not begin with this. Case matters. Null does not.'),
    endsWith: text('Ends with this. Case matters.'),
    notEndsWith: text('Does not end with this. Case matters. Null does not.'),
    ieq: text('Is this, whatever the case of its letters.'),
    icontains: text('Has this in it, whatever the case of its letters.'),
    istartsWith: text('Begins with this, whatever the case of its letters.'),
    iendsWith: text('Ends with this, whatever the case of its letters.'),
    regex: text(
      `Something in it matches this regular expression, in the syntax of POSIX, of at most 1,000 characters. ${notLive}`,
    ),
    search: { type: search, description: `Has these words in it. ${notLive}` },
  }
}

function listFilter(name: string, type: Item, length: GraphQLInputObjectType): GraphQLInputObjectType {
  const list = new GraphQLList(new GraphQLNonNull(type))
  return filter(`${name}ListFilter`, 'a list', {
    has: { type, description: 'This is one of its items.' },
    hasAny: { type: list, description: 'At least one of these, 5,000 at most, is one of its items.' },
    hasAll: { type: list, description: 'All of these, 5,000 at most, are among its items.' },
    hasNone: { type: list, description: 'None of these, 5,000 at most, is one of its items. Null has none.' },
    isEmpty: { type: GraphQLBoolean, description: 'Whether it has no items. Null is neither empty nor not.' },
    length: { type: length, description: 'How many items it has. Null has no length.' },
    ...isNull,
  })
}
