import pluralize from 'pluralize'

type Named = { typeName: string; key: string }

/** What a collection is called in the API. */
export type Names = {
  /** Root field of one document: `post`. */
  one: string
  /** Root field of many: `posts`. */
  many: string
  /** Every type and root field that is made of it, as schema coordinates: `PostWhere`, `Mutation.createPost`. */
  coordinates: readonly string[]
}

/** Names of attributes that a document or its filter has already. */
export const reservedKeys: ReadonlySet<string> = new Set([
  'id',
  'createdAt',
  'updatedAt',
  'version',
  'permissions',
  'and',
  'or',
  'not',
])

const reserved = new Set(['String', 'Int', 'Float', 'Boolean', 'ID', 'Query', 'Mutation', 'Subscription'])

/** Keeps coordinates for the API's own types and fields. The schema says at its start which ones it has. */
export function reserveNames(coordinates: Iterable<string>): void {
  for (const coordinate of coordinates) reserved.add(coordinate)
}

/** What the types of groups are called, after the name of their collection's type. */
const aggregates = [
  'Aggregate',
  'AggregateKey',
  'AggregateCounts',
  'AggregateSums',
  'AggregateAverages',
  'AggregateValues',
  'Group',
  'Having',
  'AggregateKeyHaving',
  'AggregateCountsHaving',
  'AggregateValuesHaving',
  'AggregateSumsHaving',
  'AggregateAveragesHaving',
  'AggregateOrder',
  'AggregateKeyOrder',
  'AggregateValuesOrder',
  'AggregateNumbersOrder',
]

/** The type's name that a collection gets when none is given: `Post` of `posts`, `BlogEntry` of `blogEntries`. */
export function typeNameOf(key: string): string {
  const singular = pluralize.singular(key)
  return capital(singular)
}

export function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

export function typeNamesOf(typeName: string, key: string): Names {
  const one = typeName.charAt(0).toLowerCase() + typeName.slice(1)
  // A second collection of the same key, in another database, has a type name of its own, and all names follow it.
  const plural = typeNameOf(key) === typeName ? key : pluralize(one)
  const many = plural === one ? `${one}List` : plural
  return {
    one,
    many,
    coordinates: [
      ...[
        '',
        'Connection',
        'Edge',
        'Where',
        'ManyWhere',
        'Order',
        'Change',
        'Set',
        'Operations',
        'BulkResult',
        'Links',
        'LinkChanges',
        'LiveChange',
        'UniqueKey',
        ...aggregates,
      ].map((suffix) => typeName + suffix),
      ...['Create', 'Update', 'Upsert'].map((verb) => `${verb}${typeName}Input`),
      ...[one, many, `${many}Aggregate`].map((field) => `Query.${field}`),
      ...['create', 'update', 'upsert', 'delete'].flatMap((verb) =>
        [typeName, capital(many)].map((name) => `Mutation.${verb}${name}`),
      ),
      `${capital(many)}Live`,
      ...[`${one}Changed`, `${many}Live`].map((field) => `Subscription.${field}`),
    ],
  }
}

/** Whether the API itself has one of these. */
export function isReserved({ coordinates }: Names): boolean {
  return coordinates.some((name) => reserved.has(name))
}

/** The first name that a new collection would share with the API itself or with another collection, null for none. */
export function nameClash(collection: Named, others: readonly Named[]): string | null {
  const taken = new Set(others.flatMap((other) => typeNamesOf(other.typeName, other.key).coordinates))
  const names = typeNamesOf(collection.typeName, collection.key).coordinates
  return names.find((name) => reserved.has(name) || taken.has(name)) ?? null
}
