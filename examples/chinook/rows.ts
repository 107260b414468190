import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

type Value = string | number | null
export type Row = Readonly<Record<string, Value>>
export type Store = Readonly<Record<string, readonly Row[]>>

const root = join(import.meta.dirname, '../..')

/** The data set lies in `../shared/data/` beside the repository, or beside a folder above it; null where it does not. */
export function findStore(): Store | null {
  for (let folder = dirname(root); ; folder = dirname(folder)) {
    const file = join(folder, 'shared/data/chinook.json')
    if (existsSync(file)) return withoutBlanks(JSON.parse(readFileSync(file, 'utf8')))
    if (folder === dirname(folder)) return null
  }
}

/** The data set has an empty text where nothing is known. */
function withoutBlanks(store: Store): Store {
  const cleaned = (row: Row) => Object.fromEntries(Object.entries(row).map(([key, it]) => [key, it === '' ? null : it]))
  return Object.fromEntries(Object.entries(store).map(([name, rows]) => [name, rows.map(cleaned)]))
}

type Input = Readonly<Record<string, unknown>>

const id = (value: Value | undefined) => (value === null || value === undefined ? null : String(value))
const exact = (value: Value | undefined) => (typeof value === 'number' ? value.toFixed(2) : null)
const day = (value: Value | undefined) => String(value).slice(0, 10)

const place = (row: Row, prefix = '') => ({
  address: row[`${prefix}Address`],
  city: row[`${prefix}City`],
  state: row[`${prefix}State`],
  country: row[`${prefix}Country`],
  postalCode: row[`${prefix}PostalCode`],
})
const person = (row: Row) => ({
  firstName: row.FirstName,
  lastName: row.LastName,
  ...place(row),
  phone: row.Phone,
  fax: row.Fax,
  email: row.Email,
})

/** What a row of the data set is as an input of the API, by collection. */
export const inputs: Readonly<Record<string, { of: string; input: (row: Row) => Input }>> = {
  genres: { of: 'Genre', input: (row) => ({ name: row.Name }) },
  mediaTypes: { of: 'MediaType', input: (row) => ({ name: row.Name }) },
  artists: { of: 'Artist', input: (row) => ({ name: row.Name }) },
  albums: { of: 'Album', input: (row) => ({ title: row.Title, artist: id(row.ArtistId) }) },
  tracks: {
    of: 'Track',
    input: (row) => ({
      name: row.Name,
      composer: row.Composer,
      milliseconds: row.Milliseconds,
      bytes: id(row.Bytes),
      unitPrice: exact(row.UnitPrice),
      album: id(row.AlbumId),
      genre: id(row.GenreId),
      mediaType: id(row.MediaTypeId),
    }),
  },
  employees: {
    of: 'Employee',
    input: (row) => ({
      ...person(row),
      title: row.Title,
      birthDate: day(row.BirthDate),
      hireDate: day(row.HireDate),
      reportsTo: id(row.ReportsTo),
    }),
  },
  customers: {
    of: 'Customer',
    input: (row) => ({ ...person(row), company: row.Company, supportRep: id(row.SupportRepId) }),
  },
  invoices: {
    of: 'Invoice',
    input: (row) => ({
      date: `${row.InvoiceDate}Z`,
      ...place(row, 'Billing'),
      total: exact(row.Total),
      customer: id(row.CustomerId),
    }),
  },
  invoiceLines: {
    of: 'InvoiceLine',
    input: (row) => ({
      unitPrice: exact(row.UnitPrice),
      quantity: row.Quantity,
      invoice: id(row.InvoiceId),
      track: id(row.TrackId),
    }),
  },
}

/** The documents of a collection, under the ids that the data set has. */
export function inputsOf(store: Store, key: string): Input[] {
  const { of = '', input } = inputs[key] ?? {}
  return (store[of] ?? []).map((row) => ({ id: id(row[`${of}Id`]), ...input?.(row) }))
}

/** Playlists with the ids of their tracks, a line of JSON each, as `tendril import` sends them. */
export function playlistLines(store: Store): string {
  const links = Map.groupBy(store.PlaylistTrack ?? [], ({ PlaylistId }) => PlaylistId)
  const lines = (store.Playlist ?? []).map(({ PlaylistId, Name }) => {
    const tracks = links.get(PlaylistId ?? null)?.map(({ TrackId }) => id(TrackId)) ?? []
    return JSON.stringify({ id: id(PlaylistId), name: Name, tracks })
  })
  return lines.join('\n')
}
