import type { Pool } from 'pg'
import { type DatabaseRow, databasesQuery, type HookRow, hooksOf, hooksQuery } from './load-hooks.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { isReserved, type Names, typeNamesOf } from './names.ts'
import { type Field, type Row, readCollection } from './rows.ts'

const shown = `c.status in ('AVAILABLE', 'CHANGING')`

/** That of the full-text index of an attribute: the one of it alone, where there is one. */
const language = `(select coalesce(i.language, 'simple') from indexes i where i."collectionId" = a."collectionId"
    and i.type = 'FULLTEXT' and i.status = 'AVAILABLE' and a.key = any(i.attributes)
    order by cardinality(i.attributes), i.id limit 1)`

/** What the indexes of an attribute find the nearest by. */
const nearest = `case when a.type in ('POINT', 'VECTOR') then (
    select json_agg(case i.type when 'SPATIAL' then 'METRES' else coalesce(i.distance::text, 'EUCLIDEAN') end)
    from indexes i where i."collectionId" = a."collectionId" and i.status = 'AVAILABLE'
      and i.type in ('SPATIAL', 'VECTOR') and i.attributes[1] = a.key) end`

/** The keys of what no two documents have in common, by the unique index's own key. */
const uniques = `(select json_object_agg(i.key, i.attributes order by i.key)::text from indexes i
    where i."collectionId" = c.id and i.type = 'UNIQUE' and i.status = 'AVAILABLE')`

const present = `status in ('AVAILABLE', 'CHANGING')`

const collections = `
  select c.id, c.key, c."projectId", c."databaseId", c."typeName", c.permissions, c."documentPermissions", c.rules, c."cacheSeconds", c.description,
    ${uniques} as uniques
  from collections c where c.id = any(array(select id from changed))`

const attributes = `
  select a.id, a.key, a."column", a.type, a.required, a.list, a."default", a.size, a.min, a.max, a.pattern, a.elements,
    a.dimensions, a."unique", a.encrypted, a.computed, a.restricted, a.permissions, a.relation, a."projectId",
    a."collectionId", a."relatedCollectionId", a."reverseKey", a."onDelete", a.description, ${language} as language, ${nearest} as nearest
  from attributes a where a.${present} and a.id = any(array(
    select id from attributes where "collectionId" = any(array(select id from changed))
    union select id from attributes where "relatedCollectionId" = any(array(select id from changed))))
  order by a."createdAt", a.id`

const listOf = (query: string) => `(select coalesce(json_agg(one), '[]') from (${query}) one)`

/**
 * All as it stands at one moment: a revision, what belongs to it, and the rows of what is not known by its version in `$2`. `xmin`
 * names the transaction that wrote a collection's row, and triggers write that row whenever something else changes that its model
 * is made of. It comes as one text, for the rows of a large project take long to read one by one.
 */
const modelQuery = `
  with own as materialized (
    select c.id, c.xmin::text as version, c."createdAt" from collections c where c."projectId" = $1 and ${shown}),
  changed as materialized (select id from own where version is distinct from $2::jsonb ->> id)
  select p."schemaRevision" as revision, json_build_object(
    'listed', ${listOf(`select id, version from own order by "createdAt", id`)},
    'found', ${listOf(collections)}, 'attributes', ${listOf(attributes)},
    'hooks', ${listOf(hooksQuery)}, 'databases', ${listOf(databasesQuery)})::text as rows
  from projects p where p.id = $1`

/** Which version of a collection its model was made of. Those that stood beside a clash have none: they are made anew each time. */
const versionOf = new WeakMap<CollectionModel, string>()

/**
 * Reads what is available of a project's schema. A project that does not exist has no collections, and the revision -1.
 * Collections that are as they were in `before` are taken from it, so that a change costs what it changes.
 */
export async function loadModel(sql: Pool, projectId: string, before?: ProjectModel): Promise<ProjectModel> {
  const known = ({ id, version }: Listed) => {
    const collection = before?.collections.get(id)
    return collection && versionOf.get(collection) === version ? collection : null
  }
  const { revision, listed, found, attributes, hooks, databases } = await readRows(sql, projectId, before)
  const rows = new Map(found.map((row) => [row.id, row]))
  const all = listed.flatMap((one): Candidate[] => {
    const collection = known(one)
    if (collection) return [{ ...one, collection, names: collection.names }]
    const row = rows.get(one.id)
    return row ? [{ ...one, row, names: namesOf(row, before) }] : []
  })
  const { kept, owners } = isNamedAs(all, before) ? { kept: all, owners: before.owners } : withoutClashes(all)
  const clashes = kept.length < all.length
  if (clashes && before) return loadModel(sql, projectId)
  const ids = new Set(kept.map(({ id }) => id))
  const byCollection = Map.groupBy(attributes, ({ collectionId }) => collectionId)
  const byTarget = Map.groupBy(attributes, ({ relatedCollectionId }) => relatedCollectionId)
  const make = ({ id, version, names, ...one }: Candidate): CollectionModel => {
    if ('collection' in one) return one.collection
    const pointing = (byTarget.get(id) ?? []).filter(({ collectionId }) => ids.has(collectionId))
    const collection = readCollection({ ...one.row, attributes: byCollection.get(id) ?? [] }, names, ids, pointing)
    if (!clashes) versionOf.set(collection, version)
    return collection
  }
  return {
    projectId,
    revision,
    collections: new Map(kept.map((one) => [one.id, make(one)])),
    owners,
    hooks: hooksOf(hooks, databases),
  }
}

type Found = Omit<Row, 'attributes'>
type Listed = { id: string; version: string }
type Candidate = Listed & { names: Names } & ({ collection: CollectionModel } | { row: Found })

type Rows = { listed: Listed[]; found: Found[]; attributes: Field[]; hooks: HookRow[]; databases: DatabaseRow[] }

const nothing: Rows = { listed: [], found: [], attributes: [], hooks: [], databases: [] }

async function readRows(sql: Pool, projectId: string, before?: ProjectModel): Promise<Rows & { revision: number }> {
  const known = [...(before?.collections.values() ?? [])].map((one) => [one.id, versionOf.get(one)])
  const { rows } = await sql.query<{ revision: number; rows: string }>({
    name: 'model of a project',
    text: modelQuery,
    values: [projectId, JSON.stringify(Object.fromEntries(known))],
  })
  const [one] = rows
  return one ? { revision: one.revision, ...(JSON.parse(one.rows) as Rows) } : { revision: -1, ...nothing }
}

/** Those it had before where it is called the same: they are compared by identity. */
function namesOf({ id, typeName, key }: Found, before: ProjectModel | undefined): Names {
  const known = before?.collections.get(id)
  return known?.typeName === typeName && known.key === key ? known.names : typeNamesOf(typeName, key)
}

/** Whether the same collections have the same names as before, as after most changes: then nothing can clash anew. */
function isNamedAs(candidates: readonly Candidate[], before: ProjectModel | undefined): before is ProjectModel {
  if (candidates.length !== before?.collections.size) return false
  return candidates.every(({ id, names }) => before.collections.get(id)?.names === names)
}

/** Two things of one name would make the whole schema unusable: the one that was there first keeps it. */
function withoutClashes(candidates: readonly Candidate[]): { kept: Candidate[]; owners: Map<string, string> } {
  const owners = new Map<string, string>()
  const kept = candidates.filter((one) => {
    const { coordinates } = one.names
    if (('row' in one && isReserved(one.names)) || coordinates.some((name) => owners.has(name))) return false
    for (const name of coordinates) owners.set(name, one.id)
    return true
  })
  return { kept, owners }
}
