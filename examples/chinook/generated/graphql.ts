/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type LongestRockQueryVariables = Exact<{ [key: string]: never; }>;


export type LongestRockQuery = { tracks: { nodes: Array<{ name: string, seconds: number | null, album: { title: string, artist: { name: string } | null } | null }> } };

export type UnsoldQueryVariables = Exact<{ [key: string]: never; }>;


export type UnsoldQuery = { artists: { totalCount: number, nodes: Array<{ name: string }> } };

export type LoveQueryVariables = Exact<{ [key: string]: never; }>;


export type LoveQuery = { tracks: { totalCount: number, nodes: Array<{ name: string, composer: string | null }> } };

export type ShelfQueryVariables = Exact<{ [key: string]: never; }>;


export type ShelfQuery = { albums: { nodes: Array<{ title: string, artist: { name: string } | null, tracks: { totalCount: number } }> } };

export type PlaylistsQueryVariables = Exact<{ [key: string]: never; }>;


export type PlaylistsQuery = { playlists: { nodes: Array<{ name: string, all: { totalCount: number }, jazz: { totalCount: number } }> } };

export type CountriesQueryVariables = Exact<{ [key: string]: never; }>;


export type CountriesQuery = { invoicesAggregate: Array<{ count: number, key: { country: string | null }, sum: { total: string | null }, countDistinct: { customer: number } }> };

export type MonthsQueryVariables = Exact<{ [key: string]: never; }>;


export type MonthsQuery = { invoicesAggregate: Array<{ count: number, key: { date: string | null }, sum: { total: string | null }, max: { total: string | null } }> };

export type StaffQueryVariables = Exact<{ [key: string]: never; }>;


export type StaffQuery = { employees: { nodes: Array<{ lastName: string, reports: { nodes: Array<{ lastName: string, reports: { nodes: Array<{ lastName: string, hireDate: string | null, customers: { totalCount: number } }> } }> } }> } };

export type MissingQueryVariables = Exact<{ [key: string]: never; }>;


export type MissingQuery = { customers: { nodes: Array<{ firstName: string, lastName: string, supportRep: { lastName: string } | null }> } };

export type SpendersQueryVariables = Exact<{ [key: string]: never; }>;


export type SpendersQuery = { customers: { nodes: Array<{ lastName: string, email: string, invoices: { nodes: Array<{ total: string, date: string }> } }> } };

export type TwiceQueryVariables = Exact<{ [key: string]: never; }>;


export type TwiceQuery = { invoiceLinesAggregate: Array<{ key: { track: string | null }, sum: { quantity: string | null, unitPrice: string | null } }> };

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

export const LongestRockDocument = new TypedDocumentString(`
    query LongestRock {
  tracks(
    where: {genre: {name: {eq: "Rock"}}}
    orderBy: [{milliseconds: DESC}, {name: ASC}]
    first: 10
  ) {
    nodes {
      name
      seconds
      album {
        title
        artist {
          name
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LongestRockQuery, LongestRockQueryVariables>;
export const UnsoldDocument = new TypedDocumentString(`
    query Unsold {
  artists(
    where: {albums: {some: {tracks: {none: {invoiceLines: {some: {}}}}}}}
    orderBy: [{name: ASC}]
    first: 100
  ) {
    totalCount
    nodes {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<UnsoldQuery, UnsoldQueryVariables>;
export const LoveDocument = new TypedDocumentString(`
    query Love {
  tracks(
    where: {name: {search: {words: "love -hate"}}}
    orderBy: [{nameRank: {search: "love -hate"}}, {name: ASC}, {id: ASC}]
    first: 20
  ) {
    totalCount
    nodes {
      name
      composer
    }
  }
}
    `) as unknown as TypedDocumentString<LoveQuery, LoveQueryVariables>;
export const ShelfDocument = new TypedDocumentString(`
    query Shelf {
  albums(orderBy: [{artist: {name: ASC}}, {title: ASC}], first: 30, offset: 30) {
    nodes {
      title
      artist {
        name
      }
      tracks {
        totalCount
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ShelfQuery, ShelfQueryVariables>;
export const PlaylistsDocument = new TypedDocumentString(`
    query Playlists {
  playlists(orderBy: [{name: ASC}, {id: ASC}]) {
    nodes {
      name
      all: tracks {
        totalCount
      }
      jazz: tracks(where: {genre: {name: {eq: "Jazz"}}}) {
        totalCount
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PlaylistsQuery, PlaylistsQueryVariables>;
export const CountriesDocument = new TypedDocumentString(`
    query Countries {
  invoicesAggregate(
    groupBy: [{country: VALUE}]
    having: {sum: {total: {gt: "100"}}}
    orderBy: [{sum: {total: DESC}}]
  ) {
    key {
      country
    }
    count
    sum {
      total
    }
    countDistinct {
      customer
    }
  }
}
    `) as unknown as TypedDocumentString<CountriesQuery, CountriesQueryVariables>;
export const MonthsDocument = new TypedDocumentString(`
    query Months {
  invoicesAggregate(
    where: {date: {gte: "2023-01-01T00:00:00Z", lt: "2024-01-01T00:00:00Z"}}
    groupBy: [{date: MONTH}]
  ) {
    key {
      date
    }
    count
    sum {
      total
    }
    max {
      total
    }
  }
}
    `) as unknown as TypedDocumentString<MonthsQuery, MonthsQueryVariables>;
export const StaffDocument = new TypedDocumentString(`
    query Staff {
  employees(where: {not: {reportsTo: {}}}, first: 1) {
    nodes {
      lastName
      reports(orderBy: [{lastName: ASC}], first: 10) {
        nodes {
          lastName
          reports(orderBy: [{lastName: ASC}], first: 20) {
            nodes {
              lastName
              hireDate
              customers {
                totalCount
              }
            }
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<StaffQuery, StaffQueryVariables>;
export const MissingDocument = new TypedDocumentString(`
    query Missing {
  customers(
    where: {invoices: {none: {date: {between: ["2025-01-01T00:00:00Z", "2025-06-30T23:59:59Z"]}}}}
    orderBy: [{supportRep: {lastName: ASC}}, {lastName: DESC}]
    first: 100
  ) {
    nodes {
      firstName
      lastName
      supportRep {
        lastName
      }
    }
  }
}
    `) as unknown as TypedDocumentString<MissingQuery, MissingQueryVariables>;
export const SpendersDocument = new TypedDocumentString(`
    query Spenders {
  customers(
    where: {or: [{invoices: {every: {total: {gt: "0.99"}}}}, {email: {iendsWith: "@GMAIL.com"}}]}
    orderBy: [{lastName: ASC}]
    first: 100
  ) {
    nodes {
      lastName
      email
      invoices(orderBy: [{total: DESC}, {date: ASC}], first: 1) {
        nodes {
          total
          date
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SpendersQuery, SpendersQueryVariables>;
export const TwiceDocument = new TypedDocumentString(`
    query Twice {
  invoiceLinesAggregate(
    where: {invoice: {date: {gte: "2024-01-01T00:00:00Z"}}}
    groupBy: [{track: VALUE}]
    having: {sum: {quantity: {gte: "2"}}}
    orderBy: [{sum: {unitPrice: DESC}}, {key: {track: ASC}}]
    first: 100
  ) {
    key {
      track
    }
    sum {
      quantity
      unitPrice
    }
  }
}
    `) as unknown as TypedDocumentString<TwiceQuery, TwiceQueryVariables>;