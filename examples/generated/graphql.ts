/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What somebody is who does something. */
export type ActorKind =
  /** A member of the project; at `/graphql`, whoever is signed in. */
  | 'ACCOUNT'
  /** A function that acts for itself. */
  | 'FUNCTION'
  /** Somebody who is not signed in. */
  | 'GUEST'
  /** A server, by an API key. */
  | 'KEY'
  /** Tendril itself. */
  | 'SYSTEM'
  /** An end user of the project. */
  | 'USER';

/** An attribute that a collection begins with. */
export type AttributeInput = {
  /** An expression of up to 1,000 characters over other attributes, which it names up to 50 times, of which it is computed: `lower(trim(name)) || '-' || count`, `if(price > 0, round(price * 1.19, 2), null)`. It has + - * / % || = != < <= > >= and or not, and lower, upper, trim, length, left, right, replace, concat, coalesce, abs, floor, ceil, round, least, greatest, isNull, if. */
  computed?: string | null | undefined;
  /** The value of documents that are created without one; not for what is required, a list, unique, encrypted or computed. */
  default?: unknown;
  /** What it is for, up to 1,000 characters. It stands first in the description of its field, for all who are shown that. Of one to many, that is the field at the other end. */
  description?: string | null | undefined;
  /** How many numbers a vector has, up to 2,000. Vectors need it. */
  dimensions?: number | null | undefined;
  /** The 1 to 100 values of an enum, names of up to 255 letters, digits and underscores. Enums need them. */
  elements?: Array<string> | null | undefined;
  /** Whether its values are stored encrypted: STRING, TEXT, EMAIL, URL and JSON that nobody searches. */
  encrypted?: boolean | null | undefined;
  /** The name of the field: a small letter, then letters, digits and underscores, up to 40. */
  key: string;
  /** Whether it holds a list of up to 5,000 values; not for JSON, geometry, vectors and encrypted ones. */
  list?: boolean | null | undefined;
  /** The greatest value, as `min`. */
  max?: unknown;
  /** The least value of a number, DATE or DATETIME; a string for BIGINT, DECIMAL, DATE and DATETIME. */
  min?: unknown;
  /** What happens when the document that a relation points at is deleted. Relations need it, but many to many, whose links go. */
  onDelete?: OnDelete | null | undefined;
  /** A regular expression of PostgreSQL, up to 1,000 characters, that a text or each item of a list matches. */
  pattern?: string | null | undefined;
  /** Who may read (READ) and set (UPDATE) it, up to 100; if left out, everybody who may read or change its document. What is computed of one that has some needs its own. */
  permissions?: Array<PermissionInput> | null | undefined;
  /** The collection that a relation points at, `self` for its own. Relations need it. */
  relatedCollectionId?: string | number | null | undefined;
  /** How many documents a relation joins; MANY_TO_ONE, if left out. */
  relation?: RelationKind | null | undefined;
  /** Whether every document has a value; not, if left out. */
  required?: boolean | null | undefined;
  /** The field of the related collection that leads back to the documents which point at one. */
  reverseKey?: string | null | undefined;
  /** Greatest number of characters of a string, up to 1,048,576. Strings need it. */
  size?: number | null | undefined;
  /** What it holds. */
  type: AttributeType;
  /** Whether no two documents have the same value: for texts with up to 640 characters, numbers, dates … */
  unique?: boolean | null | undefined;
};

/** What an attribute holds. */
export type AttributeType =
  /** A whole number of 64 bits. */
  | 'BIGINT'
  /** True or false. */
  | 'BOOLEAN'
  /** A day. */
  | 'DATE'
  /** A moment, to the millisecond. */
  | 'DATETIME'
  /** An exact decimal number of up to 100 digits. */
  | 'DECIMAL'
  /** An email address. */
  | 'EMAIL'
  /** One of `elements`. */
  | 'ENUM'
  /** A number with a fraction, of 64 bits. */
  | 'FLOAT'
  /** A whole number of 32 bits. */
  | 'INTEGER'
  /** An address of the internet, version 4 or 6. */
  | 'IP'
  /** Any JSON. */
  | 'JSON'
  /** A way: a GeoJSON LineString. */
  | 'LINE'
  /** A place: a GeoJSON Point. */
  | 'POINT'
  /** An area: a GeoJSON Polygon without holes. */
  | 'POLYGON'
  /** One document of `relatedCollection`, or several: see `relation`. */
  | 'RELATION'
  /** Text of up to `size` characters. */
  | 'STRING'
  /** Text of any length, up to what a document may have. */
  | 'TEXT'
  /** A web address. */
  | 'URL'
  /** A UUID. */
  | 'UUID'
  /** A vector of `dimensions` numbers. */
  | 'VECTOR';

/** Who calls, for HTTP Basic authentication. Kept encrypted; the password is never answered. */
export type BasicAuthInput = {
  /** Up to 1,024 characters. */
  password: string;
  /** 1 to 256 characters, no colon. */
  username: string;
};

/** A right for a role on the documents that match a condition. What is created or changed has to match it afterwards too. */
export type CollectionRuleInput = {
  /** What it allows. */
  right: PermissionRight;
  /** Whom it is given to: a role, as in permissions. */
  role: string;
  /** A filter over attributes of the document itself, `id`, `createdAt` and `updatedAt`: `{ "status": { "eq": "open" }, "or": [{ "author": { "eq": "$userId" } }, { "price": { "lt": "10.00" } }] }`. `and`, `or` and `not` join; the operators are eq, ne, in, notIn, gt, gte, lt, lte, isNull, contains, startsWith and endsWith, of lists has and isNull; `$userId` is the id of the caller. Of a relation it sees the id that it points at. Up to 100 parts, 10 levels deep. */
  where: unknown;
};

/** What the link of the mail holds. */
export type ConfirmVerificationInput = {
  /** The `id` in the link. */
  id: string | number;
  /** The `secret` in the link. */
  secret: string;
};

/** A new attribute, and the collection that gets it. */
export type CreateAttributeInput = {
  /** Which collection it is for. */
  collectionId: string | number;
  /** An expression of up to 1,000 characters over other attributes, which it names up to 50 times, of which it is computed: `lower(trim(name)) || '-' || count`, `if(price > 0, round(price * 1.19, 2), null)`. It has + - * / % || = != < <= > >= and or not, and lower, upper, trim, length, left, right, replace, concat, coalesce, abs, floor, ceil, round, least, greatest, isNull, if. */
  computed?: string | null | undefined;
  /** The value of documents that are created without one; not for what is required, a list, unique, encrypted or computed. */
  default?: unknown;
  /** What it is for, up to 1,000 characters. It stands first in the description of its field, for all who are shown that. Of one to many, that is the field at the other end. */
  description?: string | null | undefined;
  /** How many numbers a vector has, up to 2,000. Vectors need it. */
  dimensions?: number | null | undefined;
  /** The 1 to 100 values of an enum, names of up to 255 letters, digits and underscores. Enums need them. */
  elements?: Array<string> | null | undefined;
  /** Whether its values are stored encrypted: STRING, TEXT, EMAIL, URL and JSON that nobody searches. */
  encrypted?: boolean | null | undefined;
  /** The name of the field: a small letter, then letters, digits and underscores, up to 40. */
  key: string;
  /** Whether it holds a list of up to 5,000 values; not for JSON, geometry, vectors and encrypted ones. */
  list?: boolean | null | undefined;
  /** The greatest value, as `min`. */
  max?: unknown;
  /** The least value of a number, DATE or DATETIME; a string for BIGINT, DECIMAL, DATE and DATETIME. */
  min?: unknown;
  /** What happens when the document that a relation points at is deleted. Relations need it, but many to many, whose links go. */
  onDelete?: OnDelete | null | undefined;
  /** A regular expression of PostgreSQL, up to 1,000 characters, that a text or each item of a list matches. */
  pattern?: string | null | undefined;
  /** Who may read (READ) and set (UPDATE) it, up to 100; if left out, everybody who may read or change its document. What is computed of one that has some needs its own. */
  permissions?: Array<PermissionInput> | null | undefined;
  /** The collection that a relation points at, `self` for its own. Relations need it. */
  relatedCollectionId?: string | number | null | undefined;
  /** How many documents a relation joins; MANY_TO_ONE, if left out. */
  relation?: RelationKind | null | undefined;
  /** Whether every document has a value; not, if left out. */
  required?: boolean | null | undefined;
  /** The field of the related collection that leads back to the documents which point at one. */
  reverseKey?: string | null | undefined;
  /** Greatest number of characters of a string, up to 1,048,576. Strings need it. */
  size?: number | null | undefined;
  /** What it holds. */
  type: AttributeType;
  /** Whether no two documents have the same value: for texts with up to 640 characters, numbers, dates … */
  unique?: boolean | null | undefined;
};

/** A new collection, with the attributes and indexes that it begins with. */
export type CreateCollectionInput = {
  /** The attributes that it begins with, up to 400. */
  attributes?: Array<AttributeInput> | null | undefined;
  /** How long answers about its documents may be kept, 1 to 3,600. Not at all, if left out. */
  cacheSeconds?: number | null | undefined;
  /** Which database it is for. */
  databaseId: string | number;
  /** What it is for, up to 1,000 characters. It stands first in the description of its type, for all who are shown that. */
  description?: string | null | undefined;
  /** Whether each document can grant more by itself. They can, if left out. */
  documentPermissions?: boolean | null | undefined;
  /** The indexes that it begins with, up to 64. */
  indexes?: Array<IndexInput> | null | undefined;
  /** What programs call it, in the plural: a small letter, then letters, digits and underscores, up to 40. */
  key: string;
  /** What people call it, up to 128 characters; its key, if left out. */
  name?: string | null | undefined;
  /** Who may do what with every document, up to 100. Members and keys of the project need none. */
  permissions: Array<PermissionInput>;
  /** Who may do what with the documents that match a condition, up to 50. */
  rules?: Array<CollectionRuleInput> | null | undefined;
  /** The name of its type, unique in the project; made of the key, if left out. */
  typeName?: string | null | undefined;
};

/** A new API key. */
export type CreateKeyInput = {
  /** When it ends; never, if left out. */
  expiresAt?: string | null | undefined;
  /** What people call it: 1 to 64 characters. */
  name: string;
  /** Which project. */
  projectId: string | number;
  /** What it may do: see `keyScopes`. */
  scopes: Array<string>;
};

/** A new task. */
export type CreateTaskInput = {
  /** The login of the call. */
  basicAuth?: BasicAuthInput | null | undefined;
  /** What to send, up to 64 KiB. */
  body?: string | null | undefined;
  /** Whether it runs by its schedule; it does, if left out. */
  enabled?: boolean | null | undefined;
  /** Headers of the call: up to 32. */
  headers?: Array<HeaderInput> | null | undefined;
  /** The HTTP method; GET, if left out. */
  method?: string | null | undefined;
  /** What becomes of times that were missed; `RUN_ONCE`, if left out. */
  misfire?: TaskMisfire | null | undefined;
  /** What people call it: 1 to 128 characters. */
  name: string;
  /** What becomes of a time that comes during a run; `ALLOW`, if left out. */
  overlap?: TaskOverlap | null | undefined;
  /** Five cron fields, or six with seconds first. */
  schedule: string;
  /** An IANA time zone; UTC, if left out. */
  timeZone?: string | null | undefined;
  /** For how long to wait for an answer, 1,000 to 60,000 ms; 30,000, if left out. */
  timeoutMs?: number | null | undefined;
  /** What to call. */
  url: string;
  /** Whether the certificate of an https address is checked; it is, if left out. */
  verifyTls?: boolean | null | undefined;
};

/** A new webhook. */
export type CreateWebhookInput = {
  /** The login of every request. */
  basicAuth?: BasicAuthInput | null | undefined;
  /** Whether events are sent; they are, if left out. */
  enabled?: boolean | null | undefined;
  /** Patterns: `documents.*`, `users.created`, or a full name with `*` for any segment. */
  events: Array<string>;
  /** Headers of every request: up to 32. */
  headers?: Array<HeaderInput> | null | undefined;
  /** What people call it: 1 to 128 characters. */
  name: string;
  /** Where events are sent. */
  url: string;
  /** Whether the certificate of an https address is checked; it is, if left out. */
  verifyTls?: boolean | null | undefined;
};

/** How a delivery stands. */
export type DeliveryStatus =
  /** Given up. It can be replayed. */
  | 'FAILED'
  /** Not yet taken; it is tried again. */
  | 'PENDING'
  /** Taken: the receiver answered 2xx. */
  | 'SUCCEEDED';

/** A header of a call. Its value is kept encrypted, and never answered. */
export type HeaderInput = {
  /** E.g. `x-api-key`. */
  name: string;
  /** Printable ASCII, up to 4,096 characters. */
  value: string;
};

/** An index that a collection begins with. */
export type IndexInput = {
  /** Keys of 1 to 10 attributes, `createdAt` or `updatedAt`; strings of about 640 characters together. */
  attributes: Array<string>;
  /** What a vector index measures; EUCLIDEAN, if left out. */
  distance?: VectorDistance | null | undefined;
  /** What programs call it: a small letter, then letters, digits and underscores, up to 40. */
  key: string;
  /** How a full-text index reads words: `simple`, the default, `english`, `german` … as PostgreSQL has them. */
  language?: string | null | undefined;
  /** The direction of each attribute, for a key or unique index; ASC, if left out. */
  orders?: Array<OrderDirection> | null | undefined;
  /** What it is for. */
  type: IndexType;
};

/** What an index is for. */
export type IndexType =
  /** Finds words in texts, in each of its attributes. */
  | 'FULLTEXT'
  /** Finds items of lists, and JSON by the values in it, not by its keys alone. */
  | 'GIN'
  /** Finds and orders documents fast. */
  | 'KEY'
  /** Finds points, areas, and lines by the box around them, and the nearest points. */
  | 'SPATIAL'
  /** Finds parts of texts. */
  | 'TRIGRAM'
  /** Finds and orders documents fast, and keeps two documents from having the same values. Nulls never are the same. */
  | 'UNIQUE'
  /** Finds the nearest vectors, though it may miss some: for the first page of all documents, without cursors. */
  | 'VECTOR';

/** What happens to a document when the one it points at is deleted. */
export type OnDelete =
  /** It is deleted too. */
  | 'CASCADE'
  /** The other one cannot be deleted. */
  | 'RESTRICT'
  /** It points at nothing. */
  | 'SET_NULL';

/** The direction of an order. Null counts as greater than every value, unless it says where nulls come. */
export type OrderDirection =
  /** Smallest first, nulls last. */
  | 'ASC'
  /** Smallest first, but nulls before all. */
  | 'ASC_NULLS_FIRST'
  /** Greatest first, nulls first. */
  | 'DESC'
  /** Greatest first, but nulls after all. */
  | 'DESC_NULLS_LAST';

/** One right for one role. */
export type PermissionInput = {
  /** What it allows. */
  right: PermissionRight;
  /** Whom it is given to: `any`, `guests`, `users`, `users/verified`, `users/unverified`, `user:ID`, `team:ID`, `team:ID/ROLE`, `member:ID` or `label:NAME`. */
  role: string;
};

/** What a permission allows. */
export type PermissionRight =
  /** To create documents. Collections grant it, documents cannot. */
  | 'CREATE'
  /** To delete. */
  | 'DELETE'
  /** To read. */
  | 'READ'
  /** To change. */
  | 'UPDATE'
  /** CREATE, UPDATE and DELETE in one. Answers name them one by one. */
  | 'WRITE';

/** How many documents a relation joins. */
export type RelationKind =
  /** Each document is linked to any number. */
  | 'MANY_TO_MANY'
  /** Each document points at one. */
  | 'MANY_TO_ONE'
  /** Asked for at the end that is pointed at: it is stored, and answered, as MANY_TO_ONE at the other. */
  | 'ONE_TO_MANY'
  /** Each document points at one, and no two at the same. */
  | 'ONE_TO_ONE';

/** Where a change of the schema stands. */
export type SchemaStatus =
  /** It is there. */
  | 'AVAILABLE'
  /** It is there as it was, while a change of it is being made. */
  | 'CHANGING'
  /** It is being deleted. */
  | 'DELETING'
  /** It could not be made: `error` says why. Delete it to free its key. */
  | 'FAILED'
  /** It is being made. */
  | 'PROCESSING';

/** A new account. */
export type SignUpInput = {
  /** Your address. Nobody else may have it here. */
  email: string;
  /** What people call you, up to 128 characters. */
  name?: string | null | undefined;
  /** 8 to 256 characters. */
  password: string;
};

/** What becomes of times that were missed by more than a minute, because nothing ran. */
export type TaskMisfire =
  /** A run for each of them, up to the last 100. */
  | 'RUN_ALL'
  /** One run, for the last of them. */
  | 'RUN_ONCE'
  /** Nothing. */
  | 'SKIP';

/** What becomes of a time that comes while a run of the task is waiting or under way. */
export type TaskOverlap =
  /** It runs beside it. */
  | 'ALLOW'
  /** It is skipped, which its run says. */
  | 'SKIP';

/** How a run stands. */
export type TaskRunStatus =
  /** Taken back before it began. */
  | 'CANCELLED'
  /** It answered something else, or not at all. */
  | 'FAILED'
  /** Not yet begun. */
  | 'PENDING'
  /** The address is being called. */
  | 'RUNNING'
  /** Not called: the run before it was still under way. */
  | 'SKIPPED'
  /** The address answered 2xx. */
  | 'SUCCEEDED';

/** How far two vectors are from each other. Less is nearer. */
export type VectorDistance =
  /** One less the cosine of the angle between them: from 0 to 2. */
  | 'COSINE'
  /** The inner product with its sign turned. */
  | 'DOT'
  /** The length of the straight line between them. */
  | 'EUCLIDEAN';

export type VisitorMutationVariables = Exact<{ [key: string]: never; }>;


export type VisitorMutation = { signUp: { secret: string } };

export type NewStoreMutationVariables = Exact<{ [key: string]: never; }>;


export type NewStoreMutation = { createDatabase: { id: string } };

export type NewShelfMutationVariables = Exact<{
  input: CreateCollectionInput;
}>;


export type NewShelfMutation = { createCollection: { id: string } };

export type NewLabelMutationVariables = Exact<{
  input: CreateAttributeInput;
}>;


export type NewLabelMutation = { createAttribute: { id: string } };

export type StatusOfStoreQueryVariables = Exact<{ [key: string]: never; }>;


export type StatusOfStoreQuery = { collections: { nodes: Array<{ key: string, status: SchemaStatus, error: string | null, attributes: { nodes: Array<{ key: string, status: SchemaStatus, error: string | null }> }, indexes: { nodes: Array<{ key: string, status: SchemaStatus, error: string | null }> } }> } };

export type AuditsQueryVariables = Exact<{
  event: string;
}>;


export type AuditsQuery = { audits: { nodes: Array<{ event: string, actorKind: ActorKind }> } };

export type NewWebhookMutationVariables = Exact<{
  input: CreateWebhookInput;
}>;


export type NewWebhookMutation = { createWebhook: { secret: string, webhook: { id: string } } };

export type DeliveriesQueryVariables = Exact<{
  id: string | number;
}>;


export type DeliveriesQuery = { webhook: { deliveries: { nodes: Array<{ status: DeliveryStatus, attempts: Array<{ responseStatus: number | null }> }> } } | null };

export type NewTaskMutationVariables = Exact<{
  input: CreateTaskInput;
}>;


export type NewTaskMutation = { createTask: { id: string, nextRunAt: string | null } };

export type RunsQueryVariables = Exact<{
  id: string | number;
}>;


export type RunsQuery = { task: { runs: { nodes: Array<{ status: TaskRunStatus, responseStatus: number | null }> } } | null };

export type AskForMailMutationVariables = Exact<{ [key: string]: never; }>;


export type AskForMailMutation = { createVerification: { expiresAt: string } };

export type ConfirmMutationVariables = Exact<{
  input: ConfirmVerificationInput;
}>;


export type ConfirmMutation = { confirmVerification: { emailVerified: boolean } };

export type SignUpOwnerMutationVariables = Exact<{ [key: string]: never; }>;


export type SignUpOwnerMutation = { signUp: { secret: string } };

export type MeQueryVariables = Exact<{ [key: string]: never; }>;


export type MeQuery = { account: { name: string } | null };

export type CreateBlogMutationVariables = Exact<{ [key: string]: never; }>;


export type CreateBlogMutation = { createProject: { id: string, endpoint: string } };

export type ScopesQueryVariables = Exact<{ [key: string]: never; }>;


export type ScopesQuery = { keyScopes: Array<{ name: string }> };

export type NewKeyMutationVariables = Exact<{
  input: CreateKeyInput;
}>;


export type NewKeyMutation = { createKey: { secret: string } };

export type NewCollectionMutationVariables = Exact<{
  input: CreateCollectionInput;
}>;


export type NewCollectionMutation = { createCollection: { id: string, status: SchemaStatus } };

export type NewDatabaseMutationVariables = Exact<{ [key: string]: never; }>;


export type NewDatabaseMutation = { createDatabase: { id: string } };

export type CollectionStatusQueryVariables = Exact<{
  id: string | number;
}>;


export type CollectionStatusQuery = { collection: { status: SchemaStatus, error: string | null, attributes: { nodes: Array<{ status: SchemaStatus, error: string | null }> }, indexes: { nodes: Array<{ status: SchemaStatus, error: string | null }> } } | null };

export type SignUpUserMutationVariables = Exact<{
  input: SignUpInput;
}>;


export type SignUpUserMutation = { signUp: { secret: string, account: { id: string } } };

export type StatusOfQueryVariables = Exact<{
  id: string | number;
}>;


export type StatusOfQuery = { collection: { status: SchemaStatus, attributes: { nodes: Array<{ status: SchemaStatus }> } } | null };

export type NewNotesMutationVariables = Exact<{
  input: CreateCollectionInput;
}>;


export type NewNotesMutation = { createCollection: { id: string } };

export type DbMutationVariables = Exact<{ [key: string]: never; }>;


export type DbMutation = { createDatabase: { id: string } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const VisitorDocument = new TypedDocumentString(`
    mutation Visitor {
  signUp(input: {email: "ann@example.org", password: "correct horse"}) {
    secret
  }
}
    `) as unknown as TypedDocumentString<VisitorMutation, VisitorMutationVariables>;
export const NewStoreDocument = new TypedDocumentString(`
    mutation NewStore {
  createDatabase(input: {key: "store"}) {
    id
  }
}
    `) as unknown as TypedDocumentString<NewStoreMutation, NewStoreMutationVariables>;
export const NewShelfDocument = new TypedDocumentString(`
    mutation NewShelf($input: CreateCollectionInput!) {
  createCollection(input: $input) {
    id
  }
}
    `) as unknown as TypedDocumentString<NewShelfMutation, NewShelfMutationVariables>;
export const NewLabelDocument = new TypedDocumentString(`
    mutation NewLabel($input: CreateAttributeInput!) {
  createAttribute(input: $input) {
    id
  }
}
    `) as unknown as TypedDocumentString<NewLabelMutation, NewLabelMutationVariables>;
export const StatusOfStoreDocument = new TypedDocumentString(`
    query StatusOfStore {
  collections(first: 20) {
    nodes {
      key
      status
      error
      attributes(first: 50) {
        nodes {
          key
          status
          error
        }
      }
      indexes {
        nodes {
          key
          status
          error
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<StatusOfStoreQuery, StatusOfStoreQueryVariables>;
export const AuditsDocument = new TypedDocumentString(`
    query Audits($event: String!) {
  audits(where: {event: $event}, first: 1) {
    nodes {
      event
      actorKind
    }
  }
}
    `) as unknown as TypedDocumentString<AuditsQuery, AuditsQueryVariables>;
export const NewWebhookDocument = new TypedDocumentString(`
    mutation NewWebhook($input: CreateWebhookInput!) {
  createWebhook(input: $input) {
    webhook {
      id
    }
    secret
  }
}
    `) as unknown as TypedDocumentString<NewWebhookMutation, NewWebhookMutationVariables>;
export const DeliveriesDocument = new TypedDocumentString(`
    query Deliveries($id: ID!) {
  webhook(id: $id) {
    deliveries(first: 5) {
      nodes {
        status
        attempts {
          responseStatus
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DeliveriesQuery, DeliveriesQueryVariables>;
export const NewTaskDocument = new TypedDocumentString(`
    mutation NewTask($input: CreateTaskInput!) {
  createTask(input: $input) {
    id
    nextRunAt
  }
}
    `) as unknown as TypedDocumentString<NewTaskMutation, NewTaskMutationVariables>;
export const RunsDocument = new TypedDocumentString(`
    query Runs($id: ID!) {
  task(id: $id) {
    runs(first: 5) {
      nodes {
        status
        responseStatus
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RunsQuery, RunsQueryVariables>;
export const AskForMailDocument = new TypedDocumentString(`
    mutation AskForMail {
  createVerification {
    expiresAt
  }
}
    `) as unknown as TypedDocumentString<AskForMailMutation, AskForMailMutationVariables>;
export const ConfirmDocument = new TypedDocumentString(`
    mutation Confirm($input: ConfirmVerificationInput!) {
  confirmVerification(input: $input) {
    emailVerified
  }
}
    `) as unknown as TypedDocumentString<ConfirmMutation, ConfirmMutationVariables>;
export const SignUpOwnerDocument = new TypedDocumentString(`
    mutation SignUpOwner {
  signUp(
    input: {email: "owner@example.org", password: "correct horse", name: "Olga"}
  ) {
    secret
  }
}
    `) as unknown as TypedDocumentString<SignUpOwnerMutation, SignUpOwnerMutationVariables>;
export const MeDocument = new TypedDocumentString(`
    query Me {
  account {
    name
  }
}
    `) as unknown as TypedDocumentString<MeQuery, MeQueryVariables>;
export const CreateBlogDocument = new TypedDocumentString(`
    mutation CreateBlog {
  createProject(input: {name: "Blog"}) {
    id
    endpoint
  }
}
    `) as unknown as TypedDocumentString<CreateBlogMutation, CreateBlogMutationVariables>;
export const ScopesDocument = new TypedDocumentString(`
    query Scopes {
  keyScopes {
    name
  }
}
    `) as unknown as TypedDocumentString<ScopesQuery, ScopesQueryVariables>;
export const NewKeyDocument = new TypedDocumentString(`
    mutation NewKey($input: CreateKeyInput!) {
  createKey(input: $input) {
    secret
  }
}
    `) as unknown as TypedDocumentString<NewKeyMutation, NewKeyMutationVariables>;
export const NewCollectionDocument = new TypedDocumentString(`
    mutation NewCollection($input: CreateCollectionInput!) {
  createCollection(input: $input) {
    id
    status
  }
}
    `) as unknown as TypedDocumentString<NewCollectionMutation, NewCollectionMutationVariables>;
export const NewDatabaseDocument = new TypedDocumentString(`
    mutation NewDatabase {
  createDatabase(input: {key: "main", name: "Main"}) {
    id
  }
}
    `) as unknown as TypedDocumentString<NewDatabaseMutation, NewDatabaseMutationVariables>;
export const CollectionStatusDocument = new TypedDocumentString(`
    query CollectionStatus($id: ID!) {
  collection(id: $id) {
    status
    error
    attributes {
      nodes {
        status
        error
      }
    }
    indexes {
      nodes {
        status
        error
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CollectionStatusQuery, CollectionStatusQueryVariables>;
export const SignUpUserDocument = new TypedDocumentString(`
    mutation SignUpUser($input: SignUpInput!) {
  signUp(input: $input) {
    secret
    account {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<SignUpUserMutation, SignUpUserMutationVariables>;
export const StatusOfDocument = new TypedDocumentString(`
    query StatusOf($id: ID!) {
  collection(id: $id) {
    status
    attributes {
      nodes {
        status
      }
    }
  }
}
    `) as unknown as TypedDocumentString<StatusOfQuery, StatusOfQueryVariables>;
export const NewNotesDocument = new TypedDocumentString(`
    mutation NewNotes($input: CreateCollectionInput!) {
  createCollection(input: $input) {
    id
  }
}
    `) as unknown as TypedDocumentString<NewNotesMutation, NewNotesMutationVariables>;
export const DbDocument = new TypedDocumentString(`
    mutation Db {
  createDatabase(input: {key: "main"}) {
    id
  }
}
    `) as unknown as TypedDocumentString<DbMutation, DbMutationVariables>;