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
    "\n      query LongestRock {\n        tracks(where: { genre: { name: { eq: \"Rock\" } } }, orderBy: [{ milliseconds: DESC }, { name: ASC }], first: 10) {\n          nodes { name seconds album { title artist { name } } }\n        }\n      }\n    ": typeof types.LongestRockDocument,
    "\n      query Unsold {\n        artists(\n          where: { albums: { some: { tracks: { none: { invoiceLines: { some: {} } } } } } }\n          orderBy: [{ name: ASC }]\n          first: 100\n        ) {\n          totalCount\n          nodes { name }\n        }\n      }\n    ": typeof types.UnsoldDocument,
    "\n      query Love {\n        tracks(\n          where: { name: { search: { words: \"love -hate\" } } }\n          orderBy: [{ nameRank: { search: \"love -hate\" } }, { name: ASC }, { id: ASC }]\n          first: 20\n        ) {\n          totalCount\n          nodes { name composer }\n        }\n      }\n    ": typeof types.LoveDocument,
    "\n      query Shelf {\n        albums(orderBy: [{ artist: { name: ASC } }, { title: ASC }], first: 30, offset: 30) {\n          nodes { title artist { name } tracks { totalCount } }\n        }\n      }\n    ": typeof types.ShelfDocument,
    "\n      query Playlists {\n        playlists(orderBy: [{ name: ASC }, { id: ASC }]) {\n          nodes {\n            name\n            all: tracks { totalCount }\n            jazz: tracks(where: { genre: { name: { eq: \"Jazz\" } } }) { totalCount }\n          }\n        }\n      }\n    ": typeof types.PlaylistsDocument,
    "\n      query Countries {\n        invoicesAggregate(\n          groupBy: [{ country: VALUE }]\n          having: { sum: { total: { gt: \"100\" } } }\n          orderBy: [{ sum: { total: DESC } }]\n        ) {\n          key { country }\n          count\n          sum { total }\n          countDistinct { customer }\n        }\n      }\n    ": typeof types.CountriesDocument,
    "\n      query Months {\n        invoicesAggregate(\n          where: { date: { gte: \"2023-01-01T00:00:00Z\", lt: \"2024-01-01T00:00:00Z\" } }\n          groupBy: [{ date: MONTH }]\n        ) {\n          key { date }\n          count\n          sum { total }\n          max { total }\n        }\n      }\n    ": typeof types.MonthsDocument,
    "\n      query Staff {\n        employees(where: { not: { reportsTo: {} } }, first: 1) {\n          nodes {\n            lastName\n            reports(orderBy: [{ lastName: ASC }], first: 10) {\n              nodes {\n                lastName\n                reports(orderBy: [{ lastName: ASC }], first: 20) { nodes { lastName hireDate customers { totalCount } } }\n              }\n            }\n          }\n        }\n      }\n    ": typeof types.StaffDocument,
    "\n      query Missing {\n        customers(\n          where: { invoices: { none: { date: { between: [\"2025-01-01T00:00:00Z\", \"2025-06-30T23:59:59Z\"] } } } }\n          orderBy: [{ supportRep: { lastName: ASC } }, { lastName: DESC }]\n          first: 100\n        ) {\n          nodes { firstName lastName supportRep { lastName } }\n        }\n      }\n    ": typeof types.MissingDocument,
    "\n      query Spenders {\n        customers(\n          where: { or: [{ invoices: { every: { total: { gt: \"0.99\" } } } }, { email: { iendsWith: \"@GMAIL.com\" } }] }\n          orderBy: [{ lastName: ASC }]\n          first: 100\n        ) {\n          nodes { lastName email invoices(orderBy: [{ total: DESC }, { date: ASC }], first: 1) { nodes { total date } } }\n        }\n      }\n    ": typeof types.SpendersDocument,
    "\n      query Twice {\n        invoiceLinesAggregate(\n          where: { invoice: { date: { gte: \"2024-01-01T00:00:00Z\" } } }\n          groupBy: [{ track: VALUE }]\n          having: { sum: { quantity: { gte: \"2\" } } }\n          orderBy: [{ sum: { unitPrice: DESC } }, { key: { track: ASC } }]\n          first: 100\n        ) {\n          key { track }\n          sum { quantity unitPrice }\n        }\n      }\n    ": typeof types.TwiceDocument,
};
const documents: Documents = {
    "\n      query LongestRock {\n        tracks(where: { genre: { name: { eq: \"Rock\" } } }, orderBy: [{ milliseconds: DESC }, { name: ASC }], first: 10) {\n          nodes { name seconds album { title artist { name } } }\n        }\n      }\n    ": types.LongestRockDocument,
    "\n      query Unsold {\n        artists(\n          where: { albums: { some: { tracks: { none: { invoiceLines: { some: {} } } } } } }\n          orderBy: [{ name: ASC }]\n          first: 100\n        ) {\n          totalCount\n          nodes { name }\n        }\n      }\n    ": types.UnsoldDocument,
    "\n      query Love {\n        tracks(\n          where: { name: { search: { words: \"love -hate\" } } }\n          orderBy: [{ nameRank: { search: \"love -hate\" } }, { name: ASC }, { id: ASC }]\n          first: 20\n        ) {\n          totalCount\n          nodes { name composer }\n        }\n      }\n    ": types.LoveDocument,
    "\n      query Shelf {\n        albums(orderBy: [{ artist: { name: ASC } }, { title: ASC }], first: 30, offset: 30) {\n          nodes { title artist { name } tracks { totalCount } }\n        }\n      }\n    ": types.ShelfDocument,
    "\n      query Playlists {\n        playlists(orderBy: [{ name: ASC }, { id: ASC }]) {\n          nodes {\n            name\n            all: tracks { totalCount }\n            jazz: tracks(where: { genre: { name: { eq: \"Jazz\" } } }) { totalCount }\n          }\n        }\n      }\n    ": types.PlaylistsDocument,
    "\n      query Countries {\n        invoicesAggregate(\n          groupBy: [{ country: VALUE }]\n          having: { sum: { total: { gt: \"100\" } } }\n          orderBy: [{ sum: { total: DESC } }]\n        ) {\n          key { country }\n          count\n          sum { total }\n          countDistinct { customer }\n        }\n      }\n    ": types.CountriesDocument,
    "\n      query Months {\n        invoicesAggregate(\n          where: { date: { gte: \"2023-01-01T00:00:00Z\", lt: \"2024-01-01T00:00:00Z\" } }\n          groupBy: [{ date: MONTH }]\n        ) {\n          key { date }\n          count\n          sum { total }\n          max { total }\n        }\n      }\n    ": types.MonthsDocument,
    "\n      query Staff {\n        employees(where: { not: { reportsTo: {} } }, first: 1) {\n          nodes {\n            lastName\n            reports(orderBy: [{ lastName: ASC }], first: 10) {\n              nodes {\n                lastName\n                reports(orderBy: [{ lastName: ASC }], first: 20) { nodes { lastName hireDate customers { totalCount } } }\n              }\n            }\n          }\n        }\n      }\n    ": types.StaffDocument,
    "\n      query Missing {\n        customers(\n          where: { invoices: { none: { date: { between: [\"2025-01-01T00:00:00Z\", \"2025-06-30T23:59:59Z\"] } } } }\n          orderBy: [{ supportRep: { lastName: ASC } }, { lastName: DESC }]\n          first: 100\n        ) {\n          nodes { firstName lastName supportRep { lastName } }\n        }\n      }\n    ": types.MissingDocument,
    "\n      query Spenders {\n        customers(\n          where: { or: [{ invoices: { every: { total: { gt: \"0.99\" } } } }, { email: { iendsWith: \"@GMAIL.com\" } }] }\n          orderBy: [{ lastName: ASC }]\n          first: 100\n        ) {\n          nodes { lastName email invoices(orderBy: [{ total: DESC }, { date: ASC }], first: 1) { nodes { total date } } }\n        }\n      }\n    ": types.SpendersDocument,
    "\n      query Twice {\n        invoiceLinesAggregate(\n          where: { invoice: { date: { gte: \"2024-01-01T00:00:00Z\" } } }\n          groupBy: [{ track: VALUE }]\n          having: { sum: { quantity: { gte: \"2\" } } }\n          orderBy: [{ sum: { unitPrice: DESC } }, { key: { track: ASC } }]\n          first: 100\n        ) {\n          key { track }\n          sum { quantity unitPrice }\n        }\n      }\n    ": types.TwiceDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query LongestRock {\n        tracks(where: { genre: { name: { eq: \"Rock\" } } }, orderBy: [{ milliseconds: DESC }, { name: ASC }], first: 10) {\n          nodes { name seconds album { title artist { name } } }\n        }\n      }\n    "): typeof import('./graphql.ts').LongestRockDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Unsold {\n        artists(\n          where: { albums: { some: { tracks: { none: { invoiceLines: { some: {} } } } } } }\n          orderBy: [{ name: ASC }]\n          first: 100\n        ) {\n          totalCount\n          nodes { name }\n        }\n      }\n    "): typeof import('./graphql.ts').UnsoldDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Love {\n        tracks(\n          where: { name: { search: { words: \"love -hate\" } } }\n          orderBy: [{ nameRank: { search: \"love -hate\" } }, { name: ASC }, { id: ASC }]\n          first: 20\n        ) {\n          totalCount\n          nodes { name composer }\n        }\n      }\n    "): typeof import('./graphql.ts').LoveDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Shelf {\n        albums(orderBy: [{ artist: { name: ASC } }, { title: ASC }], first: 30, offset: 30) {\n          nodes { title artist { name } tracks { totalCount } }\n        }\n      }\n    "): typeof import('./graphql.ts').ShelfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Playlists {\n        playlists(orderBy: [{ name: ASC }, { id: ASC }]) {\n          nodes {\n            name\n            all: tracks { totalCount }\n            jazz: tracks(where: { genre: { name: { eq: \"Jazz\" } } }) { totalCount }\n          }\n        }\n      }\n    "): typeof import('./graphql.ts').PlaylistsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Countries {\n        invoicesAggregate(\n          groupBy: [{ country: VALUE }]\n          having: { sum: { total: { gt: \"100\" } } }\n          orderBy: [{ sum: { total: DESC } }]\n        ) {\n          key { country }\n          count\n          sum { total }\n          countDistinct { customer }\n        }\n      }\n    "): typeof import('./graphql.ts').CountriesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Months {\n        invoicesAggregate(\n          where: { date: { gte: \"2023-01-01T00:00:00Z\", lt: \"2024-01-01T00:00:00Z\" } }\n          groupBy: [{ date: MONTH }]\n        ) {\n          key { date }\n          count\n          sum { total }\n          max { total }\n        }\n      }\n    "): typeof import('./graphql.ts').MonthsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Staff {\n        employees(where: { not: { reportsTo: {} } }, first: 1) {\n          nodes {\n            lastName\n            reports(orderBy: [{ lastName: ASC }], first: 10) {\n              nodes {\n                lastName\n                reports(orderBy: [{ lastName: ASC }], first: 20) { nodes { lastName hireDate customers { totalCount } } }\n              }\n            }\n          }\n        }\n      }\n    "): typeof import('./graphql.ts').StaffDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Missing {\n        customers(\n          where: { invoices: { none: { date: { between: [\"2025-01-01T00:00:00Z\", \"2025-06-30T23:59:59Z\"] } } } }\n          orderBy: [{ supportRep: { lastName: ASC } }, { lastName: DESC }]\n          first: 100\n        ) {\n          nodes { firstName lastName supportRep { lastName } }\n        }\n      }\n    "): typeof import('./graphql.ts').MissingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Spenders {\n        customers(\n          where: { or: [{ invoices: { every: { total: { gt: \"0.99\" } } } }, { email: { iendsWith: \"@GMAIL.com\" } }] }\n          orderBy: [{ lastName: ASC }]\n          first: 100\n        ) {\n          nodes { lastName email invoices(orderBy: [{ total: DESC }, { date: ASC }], first: 1) { nodes { total date } } }\n        }\n      }\n    "): typeof import('./graphql.ts').SpendersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Twice {\n        invoiceLinesAggregate(\n          where: { invoice: { date: { gte: \"2024-01-01T00:00:00Z\" } } }\n          groupBy: [{ track: VALUE }]\n          having: { sum: { quantity: { gte: \"2\" } } }\n          orderBy: [{ sum: { unitPrice: DESC } }, { key: { track: ASC } }]\n          first: 100\n        ) {\n          key { track }\n          sum { quantity unitPrice }\n        }\n      }\n    "): typeof import('./graphql.ts').TwiceDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
