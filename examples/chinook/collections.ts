import type { AttributeInput, IndexInput, PermissionInput } from '../generated/graphql.ts'

/** A relation says which collection it points at by its key. */
type Attribute = Omit<AttributeInput, 'relatedCollectionId'> & { to?: string }

export type Definition = { key: string; attributes: Attribute[]; indexes?: IndexInput[] }

const text = (key: string, size: number): Attribute => ({ key, type: 'STRING', size })
const relation = (key: string, to: string, reverseKey: string, onDelete: Attribute['onDelete']): Attribute => {
  return { key, type: 'RELATION', to, reverseKey, onDelete }
}
const needed = (attribute: Attribute): Attribute => ({ ...attribute, required: true })
const address = [text('address', 70), text('city', 40), text('state', 40), text('country', 40), text('postalCode', 10)]
const contact = [text('phone', 24), text('fax', 24)]
const price: Attribute = { key: 'unitPrice', type: 'DECIMAL', required: true, min: '0' }

/** Everybody who is signed in may look at the whole shop. */
export const permissions: PermissionInput[] = [{ role: 'users', right: 'READ' }]

/** The music store, in an order in which each collection points at those before it or at itself. */
export const collections: readonly Definition[] = [
  { key: 'genres', attributes: [needed({ ...text('name', 120), unique: true })] },
  { key: 'mediaTypes', attributes: [needed({ ...text('name', 120), unique: true })] },
  {
    key: 'artists',
    attributes: [needed(text('name', 120))],
    indexes: [
      { key: 'byName', type: 'KEY', attributes: ['name'] },
      { key: 'partsOfName', type: 'TRIGRAM', attributes: ['name'] },
    ],
  },
  {
    key: 'albums',
    attributes: [needed(text('title', 160)), needed(relation('artist', 'artists', 'albums', 'CASCADE'))],
  },
  {
    key: 'tracks',
    attributes: [
      needed(text('name', 200)),
      text('composer', 220),
      needed({ key: 'milliseconds', type: 'INTEGER', min: 1 }),
      needed({ key: 'bytes', type: 'BIGINT', min: '1' }),
      price,
      { key: 'seconds', type: 'INTEGER', computed: 'floor(milliseconds / 1000)' },
      relation('album', 'albums', 'tracks', 'CASCADE'),
      relation('genre', 'genres', 'tracks', 'RESTRICT'),
      relation('mediaType', 'mediaTypes', 'tracks', 'RESTRICT'),
    ],
    indexes: [
      { key: 'words', type: 'FULLTEXT', attributes: ['name'], language: 'english' },
      { key: 'byLength', type: 'KEY', attributes: ['milliseconds'], orders: ['DESC'] },
    ],
  },
  {
    key: 'employees',
    attributes: [
      needed(text('firstName', 20)),
      needed(text('lastName', 20)),
      text('title', 30),
      { key: 'birthDate', type: 'DATE' },
      { key: 'hireDate', type: 'DATE' },
      ...address,
      ...contact,
      needed({ key: 'email', type: 'EMAIL', unique: true }),
      relation('reportsTo', 'self', 'reports', 'SET_NULL'),
    ],
  },
  {
    key: 'customers',
    attributes: [
      needed(text('firstName', 40)),
      needed(text('lastName', 20)),
      text('company', 80),
      ...address,
      ...contact,
      // One has Polish letters before the @, which EMAIL does not take.
      needed({ ...text('email', 60), unique: true }),
      relation('supportRep', 'employees', 'customers', 'SET_NULL'),
    ],
  },
  {
    key: 'invoices',
    attributes: [
      needed({ key: 'date', type: 'DATETIME' }),
      ...address,
      needed({ key: 'total', type: 'DECIMAL', min: '0' }),
      needed(relation('customer', 'customers', 'invoices', 'RESTRICT')),
    ],
    indexes: [{ key: 'byDate', type: 'KEY', attributes: ['date'], orders: ['DESC'] }],
  },
  {
    key: 'invoiceLines',
    attributes: [
      price,
      needed({ key: 'quantity', type: 'INTEGER', min: 1 }),
      needed(relation('invoice', 'invoices', 'lines', 'CASCADE')),
      needed(relation('track', 'tracks', 'invoiceLines', 'RESTRICT')),
    ],
  },
  {
    key: 'playlists',
    attributes: [
      needed(text('name', 120)),
      { key: 'tracks', type: 'RELATION', relation: 'MANY_TO_MANY', to: 'tracks', reverseKey: 'playlists' },
    ],
  },
]
