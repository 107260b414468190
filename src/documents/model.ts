import { Unavailable } from '../errors.ts'
import type { Hook } from '../modules/functions/hooks.ts'
import type { Right } from '../modules/permissions/roles.ts'
import type { Names } from './names.ts'
import type { ColumnType } from './types.ts'
import type { Value } from './value.ts'

/** Who may read and set a field, where not everybody may who may read or change its document. */
export type FieldRights = { read: ReadonlySet<string>; update: ReadonlySet<string> }

/** A value of a document, or a list of them: its field in the API and its column in the table. */
export type Column = {
  /** Null for what every document has. */
  attributeId: string | null
  key: string
  name: string
  type: ColumnType
  list: boolean
  required: boolean
  default: unknown
  /** Greatest number of characters of a text, of each where it is a list; so do the next ones bound each item. */
  size: number | null
  min: Value
  max: Value
  pattern: string | null
  elements: readonly string[]
  dimensions: number | null
  unique: boolean
  /** Its column holds ciphertext. */
  encrypted: boolean
  /** In which language its own full-text index reads it, null for none. */
  language: string | null
  /** What its indexes find the nearest by: measures of vectors, or `METRES` of places. */
  nearest: readonly string[]
  /** PostgreSQL makes its value. */
  computed: boolean
  rights: FieldRights | null
  /** What it is for, in the words of those who define it. */
  description: string | null
}

/** How rows are joined: my column holds the other's id, its column holds mine, or a table of its own holds pairs. */
export type Join =
  | { kind: 'to'; column: string }
  | { kind: 'from'; column: string }
  | { kind: 'link'; table: string; mine: string; theirs: string }

/** A field that leads to documents of a collection: a relation, or the other end of one. */
export type Neighbour = {
  attributeId: string
  key: string
  collectionId: string
  /** A list of documents, or one. */
  many: boolean
  /** The relation is an attribute of this collection, not the other end of one. */
  own: boolean
  required: boolean
  join: Join
  onDelete: OnDelete
  rights: FieldRights | null
  /** What it is for; null for the other end of a relation. */
  description: string | null
}

export type OnDelete = 'CASCADE' | 'RESTRICT' | 'SET_NULL'

/** Documents of another collection that hold ids of this one, whether the API shows it or not. */
export type Referrer = { collectionId: string; column: string; required: boolean; onDelete: OnDelete }

/** Whoever holds `role` has `right` on the documents that `where` describes. */
export type Rule = { right: Right; role: string; where: Readonly<Record<string, unknown>> }

export type CollectionModel = {
  id: string
  key: string
  databaseId: string
  typeName: string
  names: Names
  /** Its table, quoted. */
  table: string
  permissions: Readonly<Record<Right, ReadonlySet<string>>>
  documentPermissions: boolean
  rules: readonly Rule[]
  /** How long answers may be kept, null for not at all. */
  cacheSeconds: number | null
  description: string | null
  /** Fields whose values together no two documents have in common, by the key of their index, or their own. */
  uniques: ReadonlyMap<string, readonly string[]>
  /** By field: `id`, `createdAt`, `updatedAt`, `version`, then the attributes that are no relations. */
  columns: ReadonlyMap<string, Column>
  /** By field. */
  neighbours: ReadonlyMap<string, Neighbour>
  referrers: readonly Referrer[]
}

/** A project's own collections at one revision of its schema. */
export type ProjectModel = {
  projectId: string
  revision: number
  collections: ReadonlyMap<string, CollectionModel>
  /** The id of the collection that a type or a root field is made of, by schema coordinate. */
  owners: ReadonlyMap<string, string>
  /** What functions decide on before it happens, in the order in which the functions were created. */
  hooks: readonly Hook[]
}

/** Throws Unavailable for one that is gone: a live subscription may have been planned on an older revision. */
export function collectionOf(model: ProjectModel, id: string): CollectionModel {
  const collection = model.collections.get(id)
  if (!collection) throw new Unavailable('The schema of this project has changed. Ask anew.')
  return collection
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
