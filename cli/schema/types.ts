/**
 * What stands in `tendril.schema.ts`:
 *
 *   import type { Schema } from 'tendril/schema'
 *   export default { databases: { … } } satisfies Schema
 */
export type Schema = {
  /** By key. */
  databases: Readonly<Record<string, Database>>
}

export type Database = {
  /** What people call it, once it is made; its key, if left out. */
  name?: string
  /** By key. */
  collections: Readonly<Record<string, Collection>>
}

export type Right = 'create' | 'read' | 'update' | 'delete' | 'write'
/** One right for one role: `read:any`, `write:label:staff`. */
export type Permission = `${Right}:${string}`

export type Collection = {
  /** The name of its type; if left out, made of the key that it is created with: another key leaves it as it is. */
  typeName?: string
  /** What people call it; its key, if left out. */
  name?: string
  /** What it is for: it stands first in the description of its type, for all who are shown that. */
  description?: string
  /** Who may do what with every document; nobody but members and keys of the project, if left out. */
  permissions?: readonly Permission[]
  /** Whether each document can grant more by itself; it can, if left out. */
  documentPermissions?: boolean
  /** Whoever holds `role` has `right` on documents that match `where`. */
  rules?: readonly Rule[]
  /** How long answers about it may be kept, in seconds; not at all, if left out. */
  cacheSeconds?: number
  /** The key that it had until now. */
  renamedFrom?: string
  /** By key. */
  attributes: Readonly<Record<string, Attribute>>
  /** By key. */
  indexes?: Readonly<Record<string, Index>>
}

export type Rule = { right: Right; role: string; where: Readonly<Record<string, unknown>> }

type Common = {
  /** Whether every document has a value. */
  required?: boolean
  /** Who may read and set the field, of those who may read and change the document. */
  permissions?: readonly (`read:${string}` | `update:${string}`)[]
  /** What it is for: it stands first in the description of its field, for all who are shown that. */
  description?: string
  /** The key that it had until now. */
  renamedFrom?: string
}
/** An attribute that computes its value has no default. */
type Valued<Value> = {
  /** The value of documents that are created without one. */
  default?: Value | readonly Value[]
  /** Whether it holds a list of values. */
  list?: boolean
  /** Whether no two documents may have the same value. */
  unique?: boolean
  /** An expression over other attributes, of which the value is computed. */
  computed?: string
}
type Bounds<Value> = { min?: Value; max?: Value }
type Encryptable = { encrypted?: boolean }

export type Attribute =
  | (Common & Valued<string> & Encryptable & { type: 'STRING'; size: number; pattern?: string })
  | (Common & Omit<Valued<string>, 'unique'> & Encryptable & { type: 'TEXT'; pattern?: string })
  | (Common & Valued<string> & Encryptable & { type: 'EMAIL' | 'URL'; pattern?: string })
  | (Common & Valued<string> & { type: 'IP' | 'UUID' })
  | (Common & Valued<string> & { type: 'ENUM'; elements: readonly string[] })
  | (Common & Valued<number> & Bounds<number> & { type: 'INTEGER' | 'FLOAT' })
  | (Common & Valued<number | string> & Bounds<number | string> & { type: 'BIGINT' | 'DECIMAL' })
  | (Common & Valued<string> & Bounds<string> & { type: 'DATETIME' | 'DATE' })
  | (Common & Valued<boolean> & { type: 'BOOLEAN' })
  | (Common & Encryptable & { type: 'JSON'; default?: unknown })
  | (Common & { type: 'POINT' | 'LINE' | 'POLYGON'; default?: unknown })
  | (Common & { type: 'VECTOR'; dimensions: number })
  | Relation

export type Relation = Common & {
  type: 'RELATION'
  /** The key of the collection that it points at, in the same database, or `database.collection`. */
  to: string
  /** How many documents it joins; MANY_TO_ONE, if left out. */
  relation?: 'ONE_TO_ONE' | 'MANY_TO_ONE' | 'MANY_TO_MANY'
  /** The field of that collection which lists the documents that point at one; none, if left out. */
  reverseKey?: string
  /** What happens when the document that it points at is deleted. */
  onDelete?: 'CASCADE' | 'RESTRICT' | 'SET_NULL'
}

export type Index = {
  type: 'KEY' | 'UNIQUE' | 'FULLTEXT' | 'GIN' | 'TRIGRAM' | 'SPATIAL' | 'VECTOR'
  attributes: readonly string[]
  /** The direction of each; ASC, if left out. Nulls come last in ASC and first in DESC. */
  orders?: readonly ('ASC' | 'DESC' | 'ASC_NULLS_FIRST' | 'DESC_NULLS_LAST')[]
  /** How a full-text index reads words. */
  language?: string
  /** What a vector index measures. */
  distance?: 'EUCLIDEAN' | 'COSINE' | 'DOT'
}
