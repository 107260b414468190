/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n    mutation Visitor { signUp(input: { email: \"ann@example.org\", password: \"correct horse\" }) { secret } }\n  ": typeof types.VisitorDocument,
    "mutation NewStore { createDatabase(input: { key: \"store\" }) { id } }": typeof types.NewStoreDocument,
    "\n  mutation NewShelf($input: CreateCollectionInput!) { createCollection(input: $input) { id } }\n": typeof types.NewShelfDocument,
    "\n  mutation NewLabel($input: CreateAttributeInput!) { createAttribute(input: $input) { id } }\n": typeof types.NewLabelDocument,
    "\n  query StatusOfStore {\n    collections(first: 20) {\n      nodes {\n        key\n        status\n        error\n        attributes(first: 50) { nodes { key status error } }\n        indexes { nodes { key status error } }\n      }\n    }\n  }\n": typeof types.StatusOfStoreDocument,
    "\n      query Audits($event: String!) { audits(where: { event: $event }, first: 1) { nodes { event actorKind } } }\n    ": typeof types.AuditsDocument,
    "\n        mutation NewWebhook($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } secret } }\n      ": typeof types.NewWebhookDocument,
    "\n        query Deliveries($id: ID!) {\n          webhook(id: $id) { deliveries(first: 5) { nodes { status attempts { responseStatus } } } }\n        }\n      ": typeof types.DeliveriesDocument,
    "mutation NewTask($input: CreateTaskInput!) { createTask(input: $input) { id nextRunAt } }": typeof types.NewTaskDocument,
    "\n        query Runs($id: ID!) { task(id: $id) { runs(first: 5) { nodes { status responseStatus } } } }\n      ": typeof types.RunsDocument,
    "mutation AskForMail { createVerification { expiresAt } }": typeof types.AskForMailDocument,
    "\n      mutation Confirm($input: ConfirmVerificationInput!) { confirmVerification(input: $input) { emailVerified } }\n    ": typeof types.ConfirmDocument,
    "mutation SignUpOwner { signUp(input: { email: \"owner@example.org\", password: \"correct horse\", name: \"Olga\" }) { secret } }": typeof types.SignUpOwnerDocument,
    "query Me { account { name } }": typeof types.MeDocument,
    "mutation CreateBlog { createProject(input: { name: \"Blog\" }) { id endpoint } }": typeof types.CreateBlogDocument,
    "query Scopes { keyScopes { name } }": typeof types.ScopesDocument,
    "mutation NewKey($input: CreateKeyInput!) { createKey(input: $input) { secret } }": typeof types.NewKeyDocument,
    "\n  mutation NewCollection($input: CreateCollectionInput!) { createCollection(input: $input) { id status } }\n": typeof types.NewCollectionDocument,
    "mutation NewDatabase { createDatabase(input: { key: \"main\", name: \"Main\" }) { id } }": typeof types.NewDatabaseDocument,
    "\n  query CollectionStatus($id: ID!) {\n    collection(id: $id) {\n      status\n      error\n      attributes { nodes { status error } }\n      indexes { nodes { status error } }\n    }\n  }\n": typeof types.CollectionStatusDocument,
    "mutation SignUpUser($input: SignUpInput!) { signUp(input: $input) { secret account { id } } }": typeof types.SignUpUserDocument,
    "query StatusOf($id: ID!) { collection(id: $id) { status attributes { nodes { status } } } }": typeof types.StatusOfDocument,
    "mutation NewNotes($input: CreateCollectionInput!) { createCollection(input: $input) { id } }": typeof types.NewNotesDocument,
    "mutation Db { createDatabase(input: { key: \"main\" }) { id } }": typeof types.DbDocument,
};
const documents: Documents = {
    "\n    mutation Visitor { signUp(input: { email: \"ann@example.org\", password: \"correct horse\" }) { secret } }\n  ": types.VisitorDocument,
    "mutation NewStore { createDatabase(input: { key: \"store\" }) { id } }": types.NewStoreDocument,
    "\n  mutation NewShelf($input: CreateCollectionInput!) { createCollection(input: $input) { id } }\n": types.NewShelfDocument,
    "\n  mutation NewLabel($input: CreateAttributeInput!) { createAttribute(input: $input) { id } }\n": types.NewLabelDocument,
    "\n  query StatusOfStore {\n    collections(first: 20) {\n      nodes {\n        key\n        status\n        error\n        attributes(first: 50) { nodes { key status error } }\n        indexes { nodes { key status error } }\n      }\n    }\n  }\n": types.StatusOfStoreDocument,
    "\n      query Audits($event: String!) { audits(where: { event: $event }, first: 1) { nodes { event actorKind } } }\n    ": types.AuditsDocument,
    "\n        mutation NewWebhook($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } secret } }\n      ": types.NewWebhookDocument,
    "\n        query Deliveries($id: ID!) {\n          webhook(id: $id) { deliveries(first: 5) { nodes { status attempts { responseStatus } } } }\n        }\n      ": types.DeliveriesDocument,
    "mutation NewTask($input: CreateTaskInput!) { createTask(input: $input) { id nextRunAt } }": types.NewTaskDocument,
    "\n        query Runs($id: ID!) { task(id: $id) { runs(first: 5) { nodes { status responseStatus } } } }\n      ": types.RunsDocument,
    "mutation AskForMail { createVerification { expiresAt } }": types.AskForMailDocument,
    "\n      mutation Confirm($input: ConfirmVerificationInput!) { confirmVerification(input: $input) { emailVerified } }\n    ": types.ConfirmDocument,
    "mutation SignUpOwner { signUp(input: { email: \"owner@example.org\", password: \"correct horse\", name: \"Olga\" }) { secret } }": types.SignUpOwnerDocument,
    "query Me { account { name } }": types.MeDocument,
    "mutation CreateBlog { createProject(input: { name: \"Blog\" }) { id endpoint } }": types.CreateBlogDocument,
    "query Scopes { keyScopes { name } }": types.ScopesDocument,
    "mutation NewKey($input: CreateKeyInput!) { createKey(input: $input) { secret } }": types.NewKeyDocument,
    "\n  mutation NewCollection($input: CreateCollectionInput!) { createCollection(input: $input) { id status } }\n": types.NewCollectionDocument,
    "mutation NewDatabase { createDatabase(input: { key: \"main\", name: \"Main\" }) { id } }": types.NewDatabaseDocument,
    "\n  query CollectionStatus($id: ID!) {\n    collection(id: $id) {\n      status\n      error\n      attributes { nodes { status error } }\n      indexes { nodes { status error } }\n    }\n  }\n": types.CollectionStatusDocument,
    "mutation SignUpUser($input: SignUpInput!) { signUp(input: $input) { secret account { id } } }": types.SignUpUserDocument,
    "query StatusOf($id: ID!) { collection(id: $id) { status attributes { nodes { status } } } }": types.StatusOfDocument,
    "mutation NewNotes($input: CreateCollectionInput!) { createCollection(input: $input) { id } }": types.NewNotesDocument,
    "mutation Db { createDatabase(input: { key: \"main\" }) { id } }": types.DbDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n    mutation Visitor { signUp(input: { email: \"ann@example.org\", password: \"correct horse\" }) { secret } }\n  "): typeof import('./graphql.ts').VisitorDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation NewStore { createDatabase(input: { key: \"store\" }) { id } }"): typeof import('./graphql.ts').NewStoreDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation NewShelf($input: CreateCollectionInput!) { createCollection(input: $input) { id } }\n"): typeof import('./graphql.ts').NewShelfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation NewLabel($input: CreateAttributeInput!) { createAttribute(input: $input) { id } }\n"): typeof import('./graphql.ts').NewLabelDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query StatusOfStore {\n    collections(first: 20) {\n      nodes {\n        key\n        status\n        error\n        attributes(first: 50) { nodes { key status error } }\n        indexes { nodes { key status error } }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').StatusOfStoreDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Audits($event: String!) { audits(where: { event: $event }, first: 1) { nodes { event actorKind } } }\n    "): typeof import('./graphql.ts').AuditsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n        mutation NewWebhook($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } secret } }\n      "): typeof import('./graphql.ts').NewWebhookDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n        query Deliveries($id: ID!) {\n          webhook(id: $id) { deliveries(first: 5) { nodes { status attempts { responseStatus } } } }\n        }\n      "): typeof import('./graphql.ts').DeliveriesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation NewTask($input: CreateTaskInput!) { createTask(input: $input) { id nextRunAt } }"): typeof import('./graphql.ts').NewTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n        query Runs($id: ID!) { task(id: $id) { runs(first: 5) { nodes { status responseStatus } } } }\n      "): typeof import('./graphql.ts').RunsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AskForMail { createVerification { expiresAt } }"): typeof import('./graphql.ts').AskForMailDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      mutation Confirm($input: ConfirmVerificationInput!) { confirmVerification(input: $input) { emailVerified } }\n    "): typeof import('./graphql.ts').ConfirmDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignUpOwner { signUp(input: { email: \"owner@example.org\", password: \"correct horse\", name: \"Olga\" }) { secret } }"): typeof import('./graphql.ts').SignUpOwnerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Me { account { name } }"): typeof import('./graphql.ts').MeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateBlog { createProject(input: { name: \"Blog\" }) { id endpoint } }"): typeof import('./graphql.ts').CreateBlogDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Scopes { keyScopes { name } }"): typeof import('./graphql.ts').ScopesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation NewKey($input: CreateKeyInput!) { createKey(input: $input) { secret } }"): typeof import('./graphql.ts').NewKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation NewCollection($input: CreateCollectionInput!) { createCollection(input: $input) { id status } }\n"): typeof import('./graphql.ts').NewCollectionDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation NewDatabase { createDatabase(input: { key: \"main\", name: \"Main\" }) { id } }"): typeof import('./graphql.ts').NewDatabaseDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CollectionStatus($id: ID!) {\n    collection(id: $id) {\n      status\n      error\n      attributes { nodes { status error } }\n      indexes { nodes { status error } }\n    }\n  }\n"): typeof import('./graphql.ts').CollectionStatusDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SignUpUser($input: SignUpInput!) { signUp(input: $input) { secret account { id } } }"): typeof import('./graphql.ts').SignUpUserDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query StatusOf($id: ID!) { collection(id: $id) { status attributes { nodes { status } } } }"): typeof import('./graphql.ts').StatusOfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation NewNotes($input: CreateCollectionInput!) { createCollection(input: $input) { id } }"): typeof import('./graphql.ts').NewNotesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Db { createDatabase(input: { key: \"main\" }) { id } }"): typeof import('./graphql.ts').DbDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
